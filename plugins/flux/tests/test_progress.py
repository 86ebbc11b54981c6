"""When a request is handled, what an object is made from, and which kind is meant."""

from __future__ import annotations

from typing import Any

import pytest
from plugins.flux.agent_gateway_flux.kinds import HELM_RELEASE, KINDS, KUSTOMIZATION, find_kind
from plugins.flux.agent_gateway_flux.objects import FluxObject
from plugins.flux.agent_gateway_flux.waiting import Progress, judge

import agent_gateway as ag

READY = {"type": "Ready", "status": "True", "observedGeneration": 3}
FAILED = {**READY, "status": "False"}
BUSY = {"type": "Reconciling", "status": "True"}


def an_object(kind: Any = KUSTOMIZATION, spec: Any = None, **status: Any) -> FluxObject:
    metadata = {"name": "apps", "namespace": "flux-system", "generation": 3}
    return FluxObject(kind, "/apis", {"metadata": metadata, "spec": spec or {}, "status": status})


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ({"lastHandledReconcileAt": "now", "observedGeneration": 3, "conditions": [READY]}, Progress.READY),
        ({"lastHandledReconcileAt": "now", "observedGeneration": 3, "conditions": [FAILED]}, Progress.FAILED),
        ({"lastHandledReconcileAt": "before", "observedGeneration": 3, "conditions": [READY]}, Progress.RUNNING),
        ({"lastHandledReconcileAt": "now", "observedGeneration": 2, "conditions": [READY]}, Progress.RUNNING),
        (
            {
                "lastHandledReconcileAt": "now",
                "observedGeneration": 3,
                "conditions": [{**READY, "observedGeneration": 2}],
            },
            Progress.RUNNING,
        ),
        ({"lastHandledReconcileAt": "now", "observedGeneration": 3, "conditions": [READY, BUSY]}, Progress.RUNNING),
        ({"lastHandledReconcileAt": "now", "observedGeneration": 3, "conditions": []}, Progress.RUNNING),
        (
            {
                "lastHandledReconcileAt": "now",
                "observedGeneration": 3,
                "conditions": [{"type": "Ready", "status": "Unknown"}, {"type": "Stalled", "status": "True"}],
            },
            Progress.FAILED,
        ),
        ({}, Progress.RUNNING),
    ],
)
def test_only_what_has_seen_the_request_and_rests_is_through(status: dict[str, Any], expected: Progress) -> None:
    assert judge(an_object(**status), "now") is expected


@pytest.mark.parametrize(
    ("kind", "spec", "expected"),
    [
        (
            KUSTOMIZATION,
            {"sourceRef": {"kind": "GitRepository", "name": "repo"}},
            ("GitRepository", "flux-system", "repo"),
        ),
        (
            KUSTOMIZATION,
            {"sourceRef": {"kind": "OCIRepository", "name": "repo", "namespace": "other"}},
            ("OCIRepository", "other", "repo"),
        ),
        (
            HELM_RELEASE,
            {"chart": {"spec": {"sourceRef": {"kind": "HelmRepository", "name": "charts"}}}},
            ("HelmRepository", "flux-system", "charts"),
        ),
        (HELM_RELEASE, {"chartRef": {"kind": "HelmChart", "name": "web"}}, ("HelmChart", "flux-system", "web")),
        (KUSTOMIZATION, {"sourceRef": {"kind": "ExternalArtifact", "name": "x"}}, None),
        (find_kind("git"), {"sourceRef": {"kind": "GitRepository", "name": "x"}}, None),
    ],
)
def test_the_source_is_read_from_the_spec(kind: Any, spec: Any, expected: tuple[str, str, str] | None) -> None:
    found = an_object(kind, spec).source()
    assert (found and (found[0].name, *found[1:])) == expected


def test_every_kind_is_known_by_all_its_names() -> None:
    for kind in KINDS:
        for name in (kind.name, kind.plural, kind.name.lower(), *kind.others):
            assert find_kind(name) is kind or name == "helm"
    assert find_kind("helm").name == "HelmRelease"
    assert find_kind("source helm").name == "HelmRepository"
    with pytest.raises(ag.InvalidInput, match="HelmRelease"):
        find_kind("secrets")
