from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.plugins.folder import build, drop, persona

from agent_gateway.gateway.visibility import Visibility
from agent_gateway.registry import Registry
from agent_gateway.testing import StaticKnowledge

PERSONAS = {
    "bruno": "id='bruno', title='B', prompt='B', port=1, collections=('homelab-docs', 'ml-docs', 'agent-interactions')",
    "auditor": "id='auditor', title='A', prompt='A', port=2, collections=('homelab-docs', 'incident-history'), "
    "intents=('troubleshoot', 'chat')",
    "mary_kay": "id='mary-kay', title='M', prompt='M', port=3, collections=('customer-docs',), collections_only=True",
    "guest": "id='guest', title='G', prompt='G', port=4",
}


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    drop(tmp_path, **{name: persona(fields) for name, fields in PERSONAS.items()})
    return build(tmp_path)


@pytest.fixture
def knowledge() -> StaticKnowledge:
    return StaticKnowledge({"homelab-docs": (), "customer-docs": (), "extra-docs": ()})


@pytest.fixture
def visibility(registry: Registry, knowledge: StaticKnowledge) -> Visibility:
    return Visibility(registry, knowledge)


def test_a_persona_sees_its_own_and_what_is_nobody_s(visibility: Visibility) -> None:
    assert set(visibility.visible_to("bruno")) == {"homelab-docs", "ml-docs", "extra-docs"}
    assert set(visibility.visible_to("guest")) == {"extra-docs"}


def test_with_collections_only_a_persona_sees_its_own_alone(visibility: Visibility) -> None:
    assert visibility.visible_to("mary-kay") == ("customer-docs",)


def test_what_is_ingested_meanwhile_is_seen_at_once(visibility: Visibility, knowledge: StaticKnowledge) -> None:
    assert "new-docs" not in visibility.visible_to("guest")
    knowledge.held["new-docs"] = ()
    assert "new-docs" in visibility.visible_to("guest")
    assert "new-docs" in visibility.visible_to("auditor")
    assert visibility.visible_to("mary-kay") == ("customer-docs",)
    del knowledge.held["new-docs"]
    assert "new-docs" not in visibility.visible_to("guest")


def test_an_intent_narrows_to_its_collections_among_those_of_the_persona(
    visibility: Visibility, registry: Registry
) -> None:
    personas = {each.persona.id: each.persona for each in registry.served}
    assert set(visibility.collections(personas["auditor"], "troubleshoot")) == {
        "incident-history",
        "homelab-docs",
        "extra-docs",
    }
    # Not ml-docs, which are bruno's all the same.
    assert set(visibility.collections(personas["bruno"], "troubleshoot")) == {"homelab-docs", "extra-docs"}
    # Nothing of the intent's is the persona's: all of the persona's own is searched.
    assert visibility.collections(personas["mary-kay"], "troubleshoot") == ("customer-docs",)
    assert set(visibility.collections(personas["bruno"], "train")) == {"homelab-docs", "ml-docs", "extra-docs"}


def test_an_intent_never_widens_what_a_persona_sees(visibility: Visibility, registry: Registry) -> None:
    for each in registry.served:
        visible = set(visibility.visible_to(each.persona.id))
        for intent in (*registry.intents, "unknown"):
            assert set(visibility.collections(each.persona, intent)) <= visible


def test_a_persona_understands_its_intents_or_all(visibility: Visibility, registry: Registry) -> None:
    assert visibility.intents_of("auditor") == ("troubleshoot", "chat")
    assert set(visibility.intents_of("guest")) == set(registry.intents)


def test_nobody_who_is_not_served_is_asked_about(visibility: Visibility) -> None:
    with pytest.raises(KeyError):
        visibility.visible_to("nobody")
