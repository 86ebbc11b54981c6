"""JSON patches: what a pointer reaches, and what stands at its end."""

from __future__ import annotations

from typing import Any

import pytest
from plugins.kubernetes.agent_gateway_kubernetes.grammar.contents import judge_patch
from plugins.kubernetes.agent_gateway_kubernetes.grammar.kinds import resolve
from plugins.kubernetes.agent_gateway_kubernetes.grammar.targets import name_it

POD = "/spec/template/spec"
WEB = f"{POD}/containers/0"
NOTES = "/metadata/annotations"


def decide(operations: Any, kind: str = "deploy") -> str:
    return judge_patch(operations, "json", name_it(resolve(kind), "web")).decision


def replace(path: str, value: Any, op: str = "replace") -> dict[str, Any]:
    return {"op": op, "path": path, "value": value}


def add(path: str, value: Any) -> dict[str, Any]:
    return replace(path, value, "add")


def remove(path: str) -> dict[str, Any]:
    return {"op": "remove", "path": path}


ASKED: list[tuple[str, dict[str, Any]]] = [
    ("deploy", replace("/spec/replicas", 2)),
    ("deploy", replace(f"{WEB}/image", "registry.example.com/web:1.2.3")),
    ("deploy", replace(f"{WEB}/resources/limits/memory", "1Gi")),
    ("deploy", add(f"{WEB}/env/-", {"name": "LOG", "value": "debug"})),
    ("deploy", remove(f"{WEB}/env/3")),
    ("deploy", replace(f"{WEB}/env/0/value", "debug")),
    ("deploy", remove(f"{WEB}/livenessProbe")),
    ("deploy", add(f"{POD}/containers/-", {"name": "other", "image": "registry.example.com/other:1"})),
    ("deploy", add(f"{WEB}/securityContext/runAsNonRoot", True)),
    ("deploy", add(f"{WEB}/securityContext/capabilities/drop/-", "ALL")),
    ("deploy", add(f"{POD}/tolerations/-", {"key": "gpu", "operator": "Exists"})),
    ("deploy", remove(f"{POD}/tolerations/0")),
    ("deploy", replace("/metadata/labels/tier", "canary")),
    ("deploy", add(f"{NOTES}/example.com~1note", "a")),
    ("deploy", add("/spec/template/metadata/annotations/kubectl.kubernetes.io~1restartedAt", "now")),
    ("cm", replace("/data/0", "zero")),
    ("cm", remove("/data/app.yaml")),
    ("cronjob", replace("/spec/suspend", True)),
    ("svc", replace("/spec/ports/0/targetPort", 8080)),
    ("ks", replace("/spec/suspend", True)),
    ("ks", add(f"{NOTES}/reconcile.fluxcd.io~1requestedAt", "now")),
    ("hr", replace("/spec/values/image/tag", "1.2.3")),
]
EVIL = {"name": "web", "image": "a", "securityContext": {"privileged": True}}
REFUSED: list[tuple[str, Any]] = [
    *(("deploy", add(f"{POD}/{key}", True)) for key in ("hostNetwork", "hostPID", "hostIPC", "hostUsers")),
    *(("deploy", add(f"{WEB}/{key}", ["a"])) for key in ("command", "args", "lifecycle", "volumeDevices")),
    *(("deploy", remove(f"{WEB}/{key}")) for key in ("command", "securityContext", "args", "lifecycle")),
    *(("deploy", remove(path)) for path in (
        f"{WEB}/securityContext/runAsNonRoot", f"{WEB}/securityContext/capabilities", f"{POD}/securityContext",
        WEB, POD,
        f"{WEB}/securityContext/capabilities/drop/0", f"{POD}/automountServiceAccountToken", f"{POD}/containers",
        "/spec/template", "/spec", "/metadata", "/metadata/labels", NOTES, "/metadata/finalizers", f"{POD}/hostUsers",
        "/metadata/ownerReferences/0", "/metadata/labels/kustomize.toolkit.fluxcd.io~1name", f"{POD}/tolerations/0/key",
        f"{POD}/serviceAccountName", "", "/", "spec/replicas", "/spec/~2")),
    ("deploy", replace("/spec/template", {"spec": {"containers": [EVIL]}})),
    ("deploy", replace("/spec/template", {"spec": {"containers": []}})),
    ("deploy", replace(POD, {"hostNetwork": True})),
    ("deploy", replace(WEB, EVIL)), ("deploy", add(f"{POD}/containers/-", EVIL)), ("deploy", add(WEB, {"hostPath": 1})),
    ("deploy", add(f"{POD}/containers/-", {"name": "a", "image": "a", "command": ["sh"]})),
    ("deploy", add(f"{POD}/volumes/-", {"name": "a", "hostPath": {"path": "/"}})),
    ("deploy", add(f"{POD}/volumes/0/secret", {"secretName": "a"})),
    ("deploy", add(f"{POD}/volumes/0/secret/secretName", "a")), ("deploy", add(f"{POD}/volumes/0/hostPath/path", "/")),
    ("deploy", add(f"{POD}/volumes", [{"name": "a", "csi": {}}])), ("deploy", add(f"{POD}/initContainers", [])),
    ("deploy", add(f"{POD}/initContainers/0/image", "a")), ("deploy", add(f"{POD}/ephemeralContainers/-", {})),
    ("deploy", replace(f"{WEB}/securityContext/runAsUser", 0)), ("deploy", replace(f"{WEB}/ports/0/hostPort", 80)),
    ("deploy", replace(f"{WEB}/securityContext", {"runAsNonRoot": True})), ("deploy", add(NOTES, {"note": "a"})),
    ("deploy", replace(f"{WEB}/securityContext/capabilities/drop/0", "NET_RAW")), ("deploy", replace("/spec", {})),
    ("deploy", add(f"{WEB}/securityContext/capabilities/add/-", "SYS_ADMIN")), ("deploy", add("/status/replicas", 1)),
    ("deploy", add(f"{WEB}/env/-", {"name": "A", "valueFrom": {"secretKeyRef": {"name": "a", "key": "b"}}})),
    ("deploy", add(f"{WEB}/env/0/valueFrom/secretKeyRef/name", "a")), ("deploy", add(f"{WEB}/envFrom/0/secretRef", {})),
    ("deploy", replace(f"{WEB}/env/0/name", "LD_PRELOAD")), ("deploy", replace(f"{WEB}/env/0/value", "-javaagent:/a")),
    ("deploy", replace(f"{POD}/tolerations/0/operator", "Exists")), ("deploy", replace("/metadata/uid", "a")),
    ("deploy", add(f"{POD}/tolerations/0", {"operator": "Exists"})), ("deploy", add("/metadata/finalizers/-", "a")),
    ("deploy", add("/spec/template/metadata/annotations/linkerd.io~1inject", "disabled")), ("deploy", []),
    ("deploy", add("/metadata/labels/pod-security.kubernetes.io~1enforce", "privileged")), ("deploy", None),
    ("deploy", {"op": "move", "from": "/metadata/labels/a", "path": f"{WEB}/image"}), ("deploy", {}),
    ("deploy", {"op": "copy", "from": "/data", "path": "/metadata/labels"}), ("deploy", add("/kind", "Secret")),
    ("deploy", {"op": "add", "path": "/spec/replicas"}),
    ("deploy", {"op": "Add", "path": "/spec/replicas", "value": 1}),
    ("deploy", {"op": "add", "path": "/spec/replicas", "value": 1, "from": "/a"}), ("deploy", {"op": ["add"]}),
    ("deploy", {"op": "add", "path": ["spec"], "value": 1}), ("deploy", add("/spec/replicas/0", 1)),
    ("deploy", add(f"{POD}/containers/web/image", "a")), ("deploy", add("/spec/0/replicas", 1)), ("deploy", 1),
    ("cronjob", add("/spec/jobTemplate/spec/template/spec/hostNetwork", True)), ("cm", replace("/data", {})),
    ("svc", add("/spec/ports/0/nodePort", 30080)), ("svc", replace("/spec/type", "LoadBalancer")),
    ("svc", add("/spec/externalIPs/-", "192.0.2.1")), ("ks", replace("/spec/path", "./eve")),
    ("ks", remove("/spec/prune")),
    ("ks", add("/spec/patches/-", {})), ("ks", add(f"{NOTES}/a", "b")), ("hr", remove("/spec/values/app")),
    ("hr", replace("/spec/values", {"replicas": 1})), ("hr", replace("/spec/values/app", {"replicas": 1})),
    ("hr", add("/spec/values/app/hostNetwork", True)), ("hr", add("/spec/valuesFrom/-", {"kind": "Secret"})),
    ("ns", add("/metadata/labels/a", "b")), ("role", add("/rules/-", {})), ("node", add("/spec/taints/-", {})),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "operation"), ASKED)
def test_a_human_decides_on_ordinary_operations(kind: str, operation: dict[str, Any]) -> None:
    assert decide([operation], kind) == "ask"
    assert decide([{"op": "test", "path": "/metadata/uid", "value": "a"}, operation], kind) == "ask"


@pytest.mark.parametrize(("kind", "operation"), REFUSED)
def test_dangerous_operations_are_never_sent(kind: str, operation: Any) -> None:
    assert decide([operation], kind) == "deny"
    harmless = add("/metadata/labels/tier", "canary")
    assert decide([harmless, operation], kind) == decide([operation, harmless], kind) == "deny"


@pytest.mark.parametrize("patch", [None, [], {}, "a", 1, {"op": "remove", "path": "/spec/paused"}])
def test_a_json_patch_is_a_list_of_operations(patch: Any) -> None:
    assert decide(patch) == "deny"
