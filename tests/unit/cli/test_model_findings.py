from __future__ import annotations

from collections.abc import Mapping

import pytest

from agent_gateway.cli.findings import Finding
from agent_gateway.cli.model_findings import ask_servers, check_models, judge
from agent_gateway.completion import ModelSpec
from agent_gateway.config.models import ModelEntry, ModelsSettings
from agent_gateway.messages import Tier
from agent_gateway.persona import Persona
from agent_gateway.testing import ScriptedModelServer

#: Nobody listens on port 1.
NOBODY = "http://127.0.0.1:1"


async def examine(
    settings: ModelsSettings,
    address: str = NOBODY,
    own: Mapping[str, Mapping[Tier, tuple[ModelSpec, ...]]] | None = None,
) -> tuple[Finding, ...]:
    """What is found about the models, an Ollama looked for at an address."""
    return tuple(judge(settings, await ask_servers(settings, own or {}, address)))


def entry(model: str, address: str, **given: str) -> ModelEntry:
    return ModelEntry(model=model, address=address, **given)


async def test_each_tier_says_what_answers_and_what_its_server_has() -> None:
    async with ScriptedModelServer(models=("llama3:8b", "phi3:mini")) as server:
        small = (entry("ollama_chat/llama3:8b", server.url),)
        medium = (
            entry("ollama_chat/absent:1b", server.url),
            entry("openai/phi3:mini", server.openai_url),
        )
        found = await examine(ModelsSettings(small=small, medium=medium))
    assert [(each.name, each.state) for each in found] == [
        ("small tier", "ok"), ("medium tier", "ok"), ("large tier", "absent"),
    ]  # fmt: skip
    assert found[0].found.startswith(f"llama3:8b at {server.url} answers in ")
    assert found[0].found.endswith(" ms; it has: llama3:8b, phi3:mini")
    assert "absent:1b" in found[1].found
    assert "phi3:mini at " in found[1].found
    assert (found[2].found, found[2].cost) == (
        "no model is configured (`models.large`)", "hard questions go to the next tier, at last to the floor"
    )  # fmt: skip


async def test_a_server_that_is_down_or_refuses_the_key_costs_its_tier_and_breaks_nothing() -> None:
    async with ScriptedModelServer(key="right") as server:
        small, large = entry("ollama_chat/llama3:8b", NOBODY), entry("openai/llama3:8b", server.openai_url)
        found = await examine(ModelsSettings(small=(small,), large=(large,)))
    assert {each.state for each in found} == {"absent"}
    assert all(each.cost.endswith("go to the next tier, at last to the floor") for each in found)
    assert found[0].found.startswith(f"llama3:8b at {NOBODY}: ")
    assert "refuses the key" in found[2].found


async def test_a_model_that_is_reached_through_its_provider_is_not_called_absent() -> None:
    (small, *_) = await examine(ModelsSettings(small=(ModelEntry(model="bedrock/some-model"),)))
    assert (small.state, small.cost) == ("ok", "")
    assert small.found.startswith("bedrock/some-model has no address of its own")


async def test_with_nothing_configured_an_ollama_is_found_by_itself() -> None:
    async with ScriptedModelServer(models=("llama3:8b",)) as server:
        small, *_ = await examine(ModelsSettings(), server.url)
    assert (small.name, small.state) == ("small tier", "ok")
    assert f"llama3:8b at {server.url}" in small.found


async def test_with_nothing_configured_and_no_ollama_it_says_how_to_have_one() -> None:
    (found,) = await examine(ModelsSettings())
    assert (found.name, found.state, found.found) == ("models", "absent", f"no Ollama answers at {NOBODY}")
    assert "`models.small`" in found.cost
    async with ScriptedModelServer(models=()) as server:
        (found,) = await examine(ModelsSettings(), server.url)
    assert found.found == f"the Ollama at {server.url} has no model that talks"
    assert "ollama pull" in found.cost


def test_what_is_not_looked_for_is_not_asked() -> None:
    (found,) = check_models(ModelsSettings(discover=False))
    assert (found.state, "`models.discover` is off" in found.found) == ("absent", True)


@pytest.mark.parametrize("count", [8, 20])
async def test_personas_models_are_asked_too_and_long_lists_are_cut(count: int) -> None:
    names = tuple(f"model{number}:1b" for number in range(count))
    async with ScriptedModelServer(models=names) as server:
        own = ModelEntry(model="ollama_chat/model0:1b", address=server.url).spec("small")
        jamie = Persona(id="jamie", title="J", prompt="x", models={"small": (own,)})
        _, found = await examine(ModelsSettings(discover=False), own={jamie.id: jamie.models})
    assert (found.name, found.state) == ("jamie, small tier", "ok")
    assert found.found.endswith("model7:1b" if count == 8 else "model7:1b and 12 more")
