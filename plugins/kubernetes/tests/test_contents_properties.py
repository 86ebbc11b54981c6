"""Promises about any manifest and any patch: no error, and no field that makes a decision milder."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from plugins.kubernetes.agent_gateway_kubernetes.grammar.contents import judge_objects, judge_patch
from plugins.kubernetes.agent_gateway_kubernetes.grammar.kinds import KINDS

from .test_contents_objects import ASKED
from .test_contents_patches import ASKED as ASKED_PATCHES
from .test_contents_patches import decide
from .test_contents_pointers import decide as decide_operations

#: What is below these may be called like anything.
MAPS = {"data", "labels", "annotations", "matchLabels", "nodeSelector", "limits", "requests", "hard"}
FORBIDDEN: list[tuple[str, Any]] = [
    ("hostNetwork", True), ("hostPID", True), ("hostIPC", True), ("hostUsers", True), ("privileged", True),
    ("allowPrivilegeEscalation", True), ("runAsUser", 0), ("runAsNonRoot", False), ("serviceAccountName", "admin"),
    ("automountServiceAccountToken", True), ("imagePullSecrets", [{"name": "a"}]), ("hostPath", {"path": "/"}),
    ("hostPort", 80), ("nodePort", 30080), ("externalIPs", ["192.0.2.1"]), ("lifecycle", {}), ("secret", {}),
    ("secretKeyRef", {"name": "a", "key": "b"}), ("secretRef", {"name": "a"}), ("ephemeralContainers", [{}]),
    ("finalizers", ["a"]), ("ownerReferences", [{}]), ("uid", "a"), ("managedFields", []), ("claimRef", {}),
    ("nodeName", "a"), ("sysctls", [{}]), ("procMount", "Unmasked"), ("capabilities", {"add": ["ALL"]}),
    ("exec", {"command": ["id"]}), ("serviceAccountToken", {}), ("HostNetwork", True), ("hostNetwork ", True),
    ("h\u043estNetwork", True), ("$patch", "replace"), ("__proto__", {}), ("", 1),
    ("seccompProfile", {"type": "Unconfined"}),
    ("status", {"a": 1}), ("volumeDevices", [{}]), ("csi", {}), ("loadBalancerIP", "192.0.2.1"),
    ("deletionTimestamp", "a"),
]  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["spec", "metadata", "template", "containers", "op", "path", "value", "$patch", "labels", "name"]
            )
            | st.text(max_size=8),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)
KIND = st.sampled_from([kind.refer("web") for kind in KINDS])
IN_PATCHES = [(kind, patch) for kind, patch_type, patch in ASKED_PATCHES if patch_type == "merge"]


def places(value: Any) -> Iterator[Any]:
    """Every object in a value whose keys are fields of the API."""
    if isinstance(value, dict):
        yield value
        for key, each in value.items():
            if key not in MAPS and not (key == "selector" and "matchLabels" not in each):
                yield from places(each)
    elif isinstance(value, list):
        for each in value:
            yield from places(each)


@pytest.mark.parametrize(("key", "value"), FORBIDDEN)
def test_a_forbidden_field_is_refused_wherever_it_stands(key: str, value: Any) -> None:
    for verb, manifest in ASKED:
        for at, place in enumerate(places(manifest)):
            # A deletion only reads a name; a new object's probes may run what its image has in it.
            if verb == "delete" or (verb == "create" and key == "exec"):
                continue
            worse = copy.deepcopy(manifest)
            list(places(worse))[at][key] = value
            assert judge_objects([worse], "apps", verb).decision == "deny", (place, key)
    for kind, patch in IN_PATCHES:
        for at, place in enumerate(places(patch)):
            worse = copy.deepcopy(patch)
            list(places(worse))[at][key] = value
            assert decide(worse, "merge", kind) == "deny", (place, key)


@pytest.mark.parametrize(("key", "value"), FORBIDDEN)
@pytest.mark.parametrize("parent", [
    "", "/metadata", "/spec", "/spec/template", "/spec/template/metadata", "/spec/template/spec",
    "/spec/template/spec/containers/0", "/spec/template/spec/containers/-", "/spec/template/spec/containers/7/env/0",
    "/spec/template/spec/volumes/0", "/spec/template/spec/affinity/nodeAffinity", "/spec/strategy",
])  # fmt: skip
def test_no_pointer_reaches_a_forbidden_field(parent: str, key: str, value: Any) -> None:
    for op in ("add", "replace"):
        assert decide_operations([{"op": op, "path": f"{parent}/{key}", "value": value}]) == "deny"
        assert decide_operations([{"op": op, "path": parent, "value": {key: value}}]) == "deny"
    assert decide_operations([{"op": "remove", "path": f"{parent}/{key}"}]) == "deny"


@given(
    JSON, KIND, st.sampled_from(["strategic", "merge", "json", ""]), st.sampled_from(["", "scale", "resize", "status"])
)
@example([{"op": "add", "path": "/spec/" + "a/" * 5000, "value": 1}], KINDS[0].refer("web"), "json", "")
@settings(max_examples=300, deadline=None)
def test_any_patch_gets_a_decision(patch: Any, target: Any, patch_type: str, part: str) -> None:
    verdict = judge_patch(patch, patch_type, target, part)
    assert verdict.decision in {"ask", "deny"}
    assert verdict.reason.isascii()


@given(
    JSON, st.integers(0, 200), st.sampled_from(ASKED), st.text(max_size=5) | st.sampled_from(["spec", "name", "env"])
)
@settings(max_examples=300, deadline=None)
def test_any_manifest_gets_a_decision(value: Any, at: int, asked: tuple[str, Any], key: str) -> None:
    verb, manifest = copy.deepcopy(asked)
    found = list(places(manifest))
    found[at % len(found)][key] = value
    assert judge_objects([manifest], "apps", verb).decision in {"ask", "deny"}
    assert judge_objects([value], "apps", verb).decision == "deny"


def test_deep_and_huge_values_get_a_decision() -> None:
    deep: Any = 1
    for _ in range(100_000):
        deep = [deep]
    assert decide({"spec": {"metrics": deep}}, "merge", "hpa") == "deny"
    assert decide({"data": {"a": 10**5000}}, "merge", "cm") == "ask"


def test_decisions_take_less_than_a_millisecond() -> None:
    best = []
    for verb, manifest in ASKED:
        times = []
        for _ in range(20):
            start = time.perf_counter()
            judge_objects([manifest], "apps", verb)
            times.append(time.perf_counter() - start)
        best.append(min(times))
    assert max(best) < 0.001
