"""Which patches a human may let through, and which never are sent."""

from __future__ import annotations

from typing import Any

import pytest
from plugins.kubernetes.agent_gateway_kubernetes.grammar.contents import judge_patch
from plugins.kubernetes.agent_gateway_kubernetes.grammar.kinds import resolve
from plugins.kubernetes.agent_gateway_kubernetes.grammar.targets import name_it


def decide(patch: Any, patch_type: str = "strategic", kind: str = "deploy", subresource: str = "") -> str:
    return judge_patch(patch, patch_type, name_it(resolve(kind), "web"), subresource).decision


def spec(**more: Any) -> dict[str, Any]:
    return {"spec": more}


def inside(**pod: Any) -> dict[str, Any]:
    return {"spec": {"template": {"spec": pod}}}


def web(**more: Any) -> dict[str, Any]:
    return inside(containers=[{"name": "web", **more}])


def mark(**more: Any) -> dict[str, Any]:
    return {"metadata": {"annotations": more}}


REQUEST = {"reconcile.fluxcd.io/requestedAt": "2026-11-22T00:00:00Z"}
ASKED: list[tuple[str, str, Any]] = [
    ("deploy", "strategic", web(image="registry.example.com/web:1.2.3")),
    ("deploy", "strategic", web(resources={"limits": {"memory": "1Gi", "cpu": None}})),
    ("deploy", "strategic", web(env=[{"name": "LOG", "value": "debug"}, {"name": "OLD", "$patch": "delete"}])),
    ("deploy", "strategic", web(env=[{"$patch": "replace"}, {"name": "LOG", "value": "debug"}])),
    ("deploy", "strategic", web(securityContext={"runAsNonRoot": True, "capabilities": {"drop": ["ALL"]}})),
    ("deploy", "strategic", web(readinessProbe={"httpGet": {"path": "/", "port": 80}, "timeoutSeconds": 5})),
    ("deploy", "strategic", inside(**{"$setElementOrder/containers": [{"name": "web"}],
    "containers": [{"name": "web"}]})),
    ("deploy", "strategic", spec(strategy={"$retainKeys": ["type"], "type": "Recreate"})),
    ("deploy", "strategic", {"spec": {"template": mark(**{"kubectl.kubernetes.io/restartedAt": "now"})}}),
    ("deploy", "merge", {**spec(replicas=3), "kind": "Deployment", "apiVersion": "apps/v1"}),
    ("deploy", "merge", spec(paused=True, progressDeadlineSeconds=None)),
    ("deploy", "merge", {"metadata": {"labels": {"tier": "canary", "old": None}, "name": "web"}}),
    ("deploy", "merge", inside(terminationGracePeriodSeconds=60, nodeSelector={"disk": "ssd"})),
    ("deploy", "merge", inside(volumes=[{"name": "a", "emptyDir": {}}], automountServiceAccountToken=False)),
    ("cronjob", "strategic", spec(suspend=True)),
    ("cronjob", "merge", spec(schedule="*/5 * * * *", jobTemplate=spec(backoffLimit=2))),
    ("pdb", "strategic", spec(minAvailable=1)),
    ("hpa", "merge", spec(maxReplicas=8)),
    ("svc", "merge", spec(selector={"version": "green"})),
    ("svc", "merge", spec(type="ClusterIP")),
    ("cm", "merge", {"data": {"level": "debug", "old": None}}),
    ("ks", "merge", mark(**REQUEST)),
    ("ks", "merge", spec(suspend=True)),
    ("hr", "merge", spec(suspend=False)),
    ("hr", "merge", spec(values={"replicaCount": 3, "image": {"tag": "1.2.3"},
    "resources": {"limits": {"cpu": "1"}}})),
    ("gitrepo", "merge", mark(**REQUEST)),
    ("hr", "merge", mark(**{**REQUEST, "reconcile.fluxcd.io/forceAt": "now"})),
]  # fmt: skip
UNSAFE_CONTAINERS: list[dict[str, Any]] = [
    {"command": ["sh"]}, {"command": None}, {"args": ["a"]}, {"lifecycle": {}},
    {"livenessProbe": {"exec": {"command": []}}},
    {"securityContext": {"privileged": True}}, {"securityContext": None}, {"securityContext": {"$patch": "delete"}},
    {"securityContext": {"runAsNonRoot": None}}, {"securityContext": {"capabilities": {"drop": []}}},
    {"securityContext": {"capabilities": {"add": ["NET_ADMIN"]}}}, {"securityContext": {"capabilities": None}},
    {"$patch": "delete"}, {"$patch": "replace", "image": "a"}, {"$retainKeys": ["name"]}, {"stdin": True},
    {"ports": [{"containerPort": 1, "hostPort": 1}]}, {"envFrom": [{"secretRef": {"name": "a"}}]}, {"Image": "a"},
    {"env": [{"name": "PATH", "value": "/tmp"}]}, {"env": [{"name": "A", "valueFrom": {"secretKeyRef": {}}}]},
    {"$deleteFromPrimitiveList/command": ["a"]}, {"$setElementOrder/command": []}, {"$unknown": 1},
]  # fmt: skip
VALUES: list[Any] = [
    {"hostNetwork": True}, {"host_network": True}, {"a": {"securityContext": {}}}, {"extraArgs": []}, {"a": None}, None,
    {"service": {"kind": "LoadBalancer"}}, {"a": "{{ x }}"}, {"ingress": {"enabled": True}}, {"a": "x\ny"}, {"a": [1]},
    1, {"rbac": {"create": True}}, {"\u0430": 1}, {"a b": 1}, {"existingSecret": "a"}, {"env": {"A": "b"}},
]  # fmt: skip
REFUSED: list[tuple[str, str, Any]] = [
    *(("deploy", "strategic", web(**each)) for each in UNSAFE_CONTAINERS),
    *(("deploy", kind, inside(**{key: True})) for kind in ("merge", "strategic") for key in ("hostNetwork",
        "hostPID")),
    *(("deploy", "merge", inside(**{key: None})) for key in ("securityContext", "containers", "serviceAccountName")),
    *(("deploy", "strategic", inside(**{key: []})) for key in ("initContainers", "ephemeralContainers",
        "imagePullSecrets")),
    ("deploy", "merge", web(image="a")), ("deploy", "merge", inside(volumes=[{"name": "a", "secret": {}}])),
    ("deploy", "merge", inside(tolerations=[{"operator": "Exists"}])), ("deploy", "merge", spec(template=None)),
    ("deploy", "merge", {"spec": None}), ("deploy", "merge", {"metadata": None}),
    ("deploy", "merge", {"$patch": "delete"}),
    ("deploy", "strategic", {"$patch": "replace", "spec": {}}),
    ("deploy", "strategic", inside(**{"$patch": "merge"})),
    ("deploy", "merge", web(env=[{"name": "A", "$patch": "delete"}])), ("deploy", "merge", {"status": {}}),
    ("deploy", "strategic", {"metadata": {"$deleteFromPrimitiveList/finalizers": ["a"]}}), ("deploy", "merge", {}),
    ("deploy", "merge", {"metadata": {"finalizers": None}}), ("deploy", "merge", {"metadata": {"name": "other"}}),
    ("deploy", "merge", {"metadata": {"ownerReferences": []}}),
    ("deploy", "merge", {"metadata": {"namespace": "other"}}),
    ("deploy", "merge", {"metadata": {"labels": None}}), ("deploy", "merge", {"kind": "Secret"}),
    ("deploy", "yaml", {}),
    ("deploy", "merge", {"metadata": {"labels": {"kustomize.toolkit.fluxcd.io/name": None}}}),
    ("deploy", "merge", None),
    ("deploy", "merge", {"spec": {"template": mark(**{"linkerd.io/inject": "disabled"})}}), ("deploy", "merge", []),
    ("deploy", "merge", spec(**{"replicas ": 1})), ("deploy", "merge", spec(Replicas=1)), ("deploy", "merge", "a"),
    ("sts", "merge", spec(persistentVolumeClaimRetentionPolicy={"whenScaled": "Delete"})),
    ("job", "merge", spec(managedBy="a")),
    ("cronjob", "merge", spec(jobTemplate=spec(template=spec(hostIPC=True)))), ("pod", "merge", spec(nodeName="a")),
    ("svc", "merge", spec(type="NodePort")), ("svc", "merge", spec(externalIPs=["192.0.2.1"])),
    ("cm", "merge", {"data": None}),
    ("pvc", "merge", spec(volumeName="a")), ("hpa", "merge", spec(metrics=[{"hostPath": 1}])),
    ("cm", "merge", {"data": {"a": []}}),
    ("pdb", "merge", {"metadata": {"uid": "a"}}), ("ingress", "merge", spec(rules=[])),
    ("netpol", "merge", spec(ingress=[{}])),
    *((kind, "merge", {"metadata": {"labels": {"a": "b"}}}) for kind in ("sa", "ns", "node", "pv", "role",
        "sc", "crd", "csr")),
    *((kind, "merge", spec(suspend=True)) for kind in ("gitrepo", "receiver", "imgrepo", "externalsecret",
        "widgets")),
    *(("ks", "merge", spec(**{key: 1})) for key in ("prune", "path", "sourceRef", "postBuild", "patches",
        "force", "images")),
    *(("hr", "merge", spec(**{key: []})) for key in ("chart", "valuesFrom", "postRenderers",
        "serviceAccountName", "install")),
    *(("hr", "merge", spec(values=each)) for each in VALUES),
    ("gitrepo", "merge", spec(url="https://git.example.com/eve")), ("ks", "merge", mark(a="b")),
    ("ks", "merge", mark(**{"kustomize.toolkit.fluxcd.io/reconcile": "disabled"})),
    ("ks", "merge", mark(**dict.fromkeys(REQUEST))),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "patch_type", "patch"), ASKED)
def test_a_human_decides_on_ordinary_patches(kind: str, patch_type: str, patch: Any) -> None:
    assert judge_patch(patch, patch_type, name_it(resolve(kind), "web")).reason.startswith("The patch changes")
    assert decide(patch, patch_type, kind) == "ask"


@pytest.mark.parametrize(("kind", "patch_type", "patch"), REFUSED)
def test_dangerous_patches_are_never_sent(kind: str, patch_type: str, patch: Any) -> None:
    assert decide(patch, patch_type, kind) == "deny"


def test_parts_of_objects_are_only_scaled_and_resized() -> None:
    grown = {"spec": {"containers": [{"name": "web", "resources": {"limits": {"cpu": "2"}}}]}}
    assert decide(spec(replicas=2), "merge", subresource="scale") == "ask"
    assert decide(spec(replicas=2, paused=True), "merge", subresource="scale") == "deny"
    assert decide(grown, "strategic", "pod", "resize") == "ask"
    assert decide({"spec": {"containers": [{"name": "web", "image": "a"}]}}, "strategic", "pod", "resize") == "deny"
    assert decide(grown, "strategic", "deploy", "resize") == "deny"
    for part in ("status", "finalize", "token", "ephemeralcontainers", "binding", "Scale"):
        assert decide(spec(replicas=2), "merge", subresource=part) == "deny"
