"""A name that stands apart is taken for the namespace when nothing else makes sense, and never for a change."""

from __future__ import annotations

import pytest
from benchmarks.plain_requests import CLUSTERS, plain_tools

from agent_gateway.graph.plain.choice import Choice, choose
from agent_gateway.graph.plain.rereading import read_again
from agent_gateway.graph.plain.slots import read_plain


def read(text: str) -> Choice:
    return choose(read_plain(text, "query", CLUSTERS), plain_tools())


@pytest.mark.parametrize(
    "text",
    [
        "pods (orchard-eu)",
        "orchard-eu: pods",
        "orchard-eu pods?",
        "pods orchard-eu",
        "pods, orchard-eu",
        "pods pls (ns orchard-eu)",
        "(in orchard-eu) pods please",
    ],
)
def test_a_place_may_stand_anywhere(text: str) -> None:
    assert read(text).arguments == {"command": "kubectl get pods -n orchard-eu"}


def test_the_namespace_in_brackets_is_not_the_name_before_them() -> None:
    found = read("can i have the logs of press-api (ns orchard-eu) since one hour")
    assert found.arguments == {"name": "press-api", "namespace": "orchard-eu", "since": "1h"}


@pytest.mark.parametrize(
    "text",
    [
        "rollout of press-api or cider-api finished",
        "error rate of press-api and cider-api",
        "press-api logs by email",
        "weirdly cpu consumption press-api",
        "real-time events",
        "long-running jobs",
        "high-priority pods",
        "pods of press-api",
        "logs of noisy press-api",
    ],
)
def test_a_word_that_is_no_place_changes_nothing(text: str) -> None:
    assert read(text).outcome != "call"


def test_two_readings_that_both_make_sense_are_not_chosen_from() -> None:
    found = read("orchard-eu rollout status press-api")
    assert (found.outcome, len(found.offers)) == ("unsure", 2)


@pytest.mark.parametrize(
    "text",
    [
        "restart press-api orchard-eu",
        "orchard-eu: scale press-api to 3",
        "reconcile kustomization apps in orchard-eu",
        "roll out press-api orchard-eu",
        "rollout press-api orchard-eu",
    ],
)
def test_nothing_is_changed_for_a_place_that_was_guessed(text: str) -> None:
    assert "orchard-eu" not in str(read(text).arguments)


def test_a_message_that_names_its_place_is_not_read_again() -> None:
    for text in ("pods press-api in namespace orchard-eu", "pods press-api in all namespaces"):
        assert list(read_again(read_plain(text, "query", CLUSTERS))) == []
