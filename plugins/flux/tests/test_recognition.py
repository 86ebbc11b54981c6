"""Which messages are meant for Flux."""

from __future__ import annotations

from typing import Any

import pytest
from plugins.flux.agent_gateway_flux.kinds import find_kind
from plugins.flux.agent_gateway_flux.recognition import (
    _KINDS,
    recognize_flux_get,
    recognize_flux_reconcile,
    recognize_flux_resume,
    recognize_flux_suspend,
)

import agent_gateway as ag


def ask(rest: str, **fields: Any) -> ag.PlainRequest:
    return ag.PlainRequest(text=rest, rest=rest, category="query", **fields)


def test_a_reconciliation_names_its_object() -> None:
    found = recognize_flux_reconcile(
        ask("reconcile the apps kustomization without its source", namespace="x", cluster="air")
    )
    assert found is not None
    assert found.arguments == {
        "kind": "Kustomization", "name": "apps", "namespace": "x", "cluster": "air", "with_source": False,
    }  # fmt: skip


def test_suspending_and_resuming_are_not_mixed_up() -> None:
    suspend, resume = ask("suspend helmrelease grafana-stack"), ask("resume helmrelease grafana-stack")
    assert recognize_flux_suspend(suspend) is not None
    assert recognize_flux_resume(suspend) is None
    assert recognize_flux_resume(resume) is not None
    assert recognize_flux_suspend(resume) is None


@pytest.mark.parametrize("words", ["suspend judgement", "suspend writing", "suspend disbelief"])
def test_a_plain_word_is_not_suspended_without_asking(words: str) -> None:
    found = recognize_flux_suspend(ask(words))
    assert found is None or found.confidence < 0.75


@pytest.mark.parametrize("words", ["reconcile it", "reconcile that"])
def test_what_it_is_must_be_named(words: str) -> None:
    found = recognize_flux_reconcile(ask(words))
    assert found is not None
    assert found.missing


def test_a_kind_that_other_tools_show_as_well_is_left_to_them() -> None:
    said, shared = recognize_flux_get(ask("show flux kustomizations")), recognize_flux_get(ask("show kustomizations"))
    assert said is not None
    assert shared is not None
    assert said.arguments == shared.arguments == {"kind": "Kustomization"}
    assert shared.confidence <= said.confidence - 0.15


@pytest.mark.parametrize(
    "words", ["what is flux", "how does flux work", "flux capacitor", "install flux", "reconcile all", "kustomizations"]
)
def test_what_is_not_in_the_phrases_is_not_recognized(words: str) -> None:
    for recognize in (recognize_flux_get, recognize_flux_reconcile, recognize_flux_suspend, recognize_flux_resume):
        assert recognize(ask(words)) is None


def test_a_window_is_nothing_that_flux_knows() -> None:
    assert recognize_flux_get(ask("flux status", seconds=3600)) is None


def test_the_tools_know_every_kind_that_is_recognized() -> None:
    assert {find_kind(kind).name for kind in _KINDS.values()} == set(_KINDS.values())
