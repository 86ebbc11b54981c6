"""Which messages are kubectl's, and what is said when one lacks something."""

from __future__ import annotations

from typing import Any

import pytest
from plugins.kubernetes.agent_gateway_kubernetes.recognition import (
    recognize_describe_object,
    recognize_kubectl,
    recognize_pod_logs,
    recognize_restart_workload,
    recognize_scale_workload,
)

import agent_gateway as ag


def ask(text: str, rest: str | None = None, **fields: Any) -> ag.PlainRequest:
    return ag.PlainRequest(text=text, rest=text.lower() if rest is None else rest, category="query", **fields)


@pytest.mark.parametrize(
    "text",
    [
        "kubectl get pods -n web",
        "  `kubectl get pods -n web`  ",
        "$ kubectl get pods -n web",
        "```sh\nkubectl get pods -n web\n```",
        "```\n$ kubectl get pods -n web\n```",
    ],
)
def test_a_command_is_taken_word_for_word(text: str) -> None:
    found = recognize_kubectl(ask(text, namespace="web"))
    assert found is not None
    assert (found.arguments, found.command) == ({"command": "kubectl get pods -n web"}, True)


def test_a_command_with_its_manifest_is_one() -> None:
    text = "kubectl apply -n web -f - <<'EOF'\nkind: Pod\nEOF"
    found = recognize_kubectl(ask(text))
    assert found is not None
    assert found.arguments == {"command": text}


@pytest.mark.parametrize(
    "text",
    [
        "kubectl get pods hangs",
        "kubectl get pods does not work",
        "what does kubectl get pods do",
        "kubectl get pods\nkubectl delete pod web-0",
        "kubectl is broken",
        "kubectl",
    ],
)
def test_talk_about_a_command_is_none(text: str) -> None:
    found = recognize_kubectl(ask(text))
    assert found is None or found.confidence < 0.75


def test_a_command_goes_to_the_named_cluster() -> None:
    found = recognize_kubectl(ask("show the nodes", cluster="air"))
    assert found is not None
    assert found.arguments == {"command": "kubectl get nodes", "cluster": "air"}


@pytest.mark.parametrize("text", ["restart it", "scale that to 3", "roll it back", "cordon this one"])
def test_what_it_is_must_be_named(text: str) -> None:
    found = recognize_kubectl(ask(text))
    assert found is not None
    assert found.missing


def test_a_workload_without_kind_needs_its_namespace() -> None:
    found = recognize_kubectl(ask("restart ledger"))
    assert found is not None
    assert found.missing.startswith("the namespace")
    named = recognize_kubectl(ask("restart ledger", namespace="billing"))
    assert named is not None
    assert named.arguments == {"command": "kubectl rollout restart deployment/ledger -n billing"}


def test_a_tool_that_looks_for_the_namespace_is_left_what_has_none() -> None:
    restart, scale = ask("restart statefulset ledger"), ask("scale deployment ledger to 3")
    found = recognize_restart_workload(restart)
    assert found is not None
    assert found.arguments == {"kind": "statefulset", "name": "ledger"}
    scaled = recognize_scale_workload(scale)
    assert scaled is not None
    assert scaled.arguments == {"kind": "deployment", "name": "ledger", "replicas": 3}
    described = recognize_describe_object(ask("describe deployment ledger"))
    assert described is not None
    for request in (restart, scale, ask("describe deployment ledger")):
        left = recognize_kubectl(request)
        assert left is not None
        assert left.confidence <= found.confidence - 0.15
    assert recognize_restart_workload(ask("restart statefulset ledger", namespace="billing")) is None
    assert recognize_describe_object(ask("describe deployment ledger", namespace="billing")) is None


@pytest.mark.parametrize(
    "text",
    [
        "delete pod cider-0",
        "remove deployment ledger",
        "drain node rack-07",
        "restart everything",
        "restart the policy",
        "scale ledger up",
        "exec into pod cider-0",
        "show <p:pods>",
        "show the deployment procedure",
        "describe the deployment process",
        "show a sample deployment yaml",
    ],
)
def test_what_is_not_in_the_phrases_is_not_recognized(text: str) -> None:
    assert recognize_kubectl(ask(text, namespace="billing")) is None


def test_logs_take_what_is_said_about_them() -> None:
    found = recognize_pod_logs(ask("last 50 lines of logs of ledger", namespace="billing", seconds=5400, cluster="air"))
    assert found is not None
    expected = {"name": "ledger", "namespace": "billing", "lines": 50, "since": "90m", "cluster": "air"}
    assert found.arguments == expected
    nobody = recognize_pod_logs(ask("show logs", namespace="billing"))
    assert nobody is not None
    assert nobody.missing


@pytest.mark.parametrize("kind", ["configmaps", "cm", "config maps", "configmap", "certificates.cert-manager.io"])
def test_a_kind_may_be_written_in_its_ways(kind: str) -> None:
    found = recognize_kubectl(ask(f"describe {kind} flags", namespace="edge"))
    assert found is not None
    written = "certificates.cert-manager.io" if "." in kind else "configmap"
    assert found.arguments == {"command": f"kubectl describe {written} flags -n edge"}
