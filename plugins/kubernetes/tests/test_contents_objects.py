"""Which objects a human may let into the cluster, and which never get there."""

from __future__ import annotations

from typing import Any

import pytest
from plugins.kubernetes.agent_gateway_kubernetes.grammar.contents import judge_objects

WEB: dict[str, Any] = {"name": "web", "image": "registry.example.com/web:1.2.3"}


def thing(kind: str, version: str = "v1", /, **parts: Any) -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": "web", **parts.pop("metadata", {})}, **parts}


def pod(**spec: Any) -> dict[str, Any]:
    return thing("Pod", spec={"containers": [WEB], **spec})


def deployment(container: Any = WEB, metadata: Any = None, **spec: Any) -> dict[str, Any]:
    template: dict[str, Any] = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container], **spec}}
    chosen = {"matchLabels": {"app": "web"}}
    return thing("Deployment", "apps/v1", metadata=metadata or {}, spec={"selector": chosen, "template": template})


def web(**more: Any) -> dict[str, Any]:
    return deployment({**WEB, **more})


def cron(**spec: Any) -> dict[str, Any]:
    job = {"template": {"spec": {"containers": [WEB], "restartPolicy": "Never", **spec}}}
    return thing("CronJob", "batch/v1", spec={"schedule": "0 3 * * *", "jobTemplate": {"spec": job}})


def service(**spec: Any) -> dict[str, Any]:
    return thing("Service", spec={"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": "http"}], **spec})


HARDENED = {
    "allowPrivilegeEscalation": False, "runAsNonRoot": True, "runAsUser": 1000, "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]}, "seccompProfile": {"type": "RuntimeDefault"},
}  # fmt: skip
PROBE = {"httpGet": {"path": "/healthz", "port": 8080}, "periodSeconds": 5}
TARGET = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
CPU = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}}}

ASKED: list[tuple[str, dict[str, Any]]] = [
    ("apply", deployment()),
    ("create", deployment()),
    ("replace", deployment()),
    ("diff", deployment()),
    ("delete", deployment()),
    ("apply", web(securityContext=HARDENED, livenessProbe=PROBE, ports=[{"containerPort": 8080}])),
    ("apply", web(env=[{"name": "LOG_LEVEL", "value": "debug"}], resources={"limits": {"cpu": "1", "memory": "1Gi"}})),
    ("apply", web(env=[{"name": "TOKEN", "value": "ghp_0123456789abcdefghij0123456789abcdef"}])),
    ("apply", web(env=[{"name": "JAVA_TOOL_OPTIONS", "value": "-Xmx2g -XX:MaxRAMPercentage=75.0"}])),
    ("apply", web(envFrom=[{"configMapRef": {"name": "web"}}])),
    ("apply", deployment(volumes=[{"name": "a", "emptyDir": {}}, {"name": "b", "configMap": {"name": "web"}}])),
    ("apply", deployment(hostNetwork=False, automountServiceAccountToken=False, hostUsers=False)),
    ("apply", deployment(tolerations=[{"key": "gpu", "operator": "Exists", "effect": "NoSchedule"}])),
    ("apply", deployment(metadata={"annotations": {"note": "hostNetwork: true", "checksum/config": "ab"}})),
    ("apply", deployment(metadata={"annotations": {"linkerd.io/inject": "enabled"}})),
    ("apply", deployment(metadata={"labels": {"app.kubernetes.io/name": "web"}, "namespace": "apps"})),
    ("apply", {**deployment(metadata={"creationTimestamp": None}), "status": {}}),
    ("create", web(command=["/web"], args=["--port", "8080"])),
    ("create", web(readinessProbe={"exec": {"command": ["true"]}})),
    ("create", deployment(initContainers=[WEB])),
    ("create", pod(restartPolicy="Never")),
    ("create", cron()),
    ("apply", service()),
    ("apply", service(type="ClusterIP", clusterIP="None")),
    ("apply", thing("ConfigMap", data={"hostNetwork": "true", "password": "hunter2", "a.yaml": "kind: Secret"})),
    ("apply", thing("ResourceQuota", spec={"hard": {"count/deployments.apps": "10", "requests.cpu": 4}})),
    ("apply", thing("PodDisruptionBudget", "policy/v1", spec={"minAvailable": 1})),
    ("apply", thing("HorizontalPodAutoscaler", "autoscaling/v2", spec={"scaleTargetRef": TARGET, "metrics": [CPU]})),
    ("apply", thing("PersistentVolumeClaim", spec={"resources": {"requests": {"storage": "1Gi"}}})),
    ("apply", thing("PrometheusRule", "monitoring.coreos.com/v1", spec={"groups": [
        {"name": "web", "rules": [{"alert": "Down", "expr": "up == 0", "for": "5m"}]}]})),
    ("delete", thing("Ingress", "networking.k8s.io/v1")),
]  # fmt: skip


@pytest.mark.parametrize(("verb", "manifest"), ASKED)
def test_a_human_decides_on_ordinary_objects(verb: str, manifest: dict[str, Any]) -> None:
    verdict = judge_objects([manifest], "apps", verb)
    assert verdict.decision == "ask", verdict.reason
    assert judge_objects([manifest], "", verb).decision == "ask"


def test_one_forbidden_object_makes_the_whole_manifest_forbidden() -> None:
    assert judge_objects([service(), deployment()], "apps", "apply").decision == "ask"
    assert judge_objects([service(), thing("Secret"), deployment()], "apps", "apply").decision == "deny"


def test_the_manifest_must_fit_the_namespace_of_the_command() -> None:
    there = service()
    there["metadata"]["namespace"] = "apps"
    assert judge_objects([there], "apps", "apply").decision == "ask"
    assert judge_objects([there], "other", "apply").decision == "deny"


@pytest.mark.parametrize("name", [
    "kube-system", "kube-public", "kube-node-lease", "flux-system", "linkerd", "linkerd-viz", "istio-system",
    "cert-manager", "agent-gateway", "metallb-system", "Kube-System", "kube-system ", "a.b", "../x", "argocd",
])  # fmt: skip
def test_nothing_is_written_where_the_cluster_stands(name: str) -> None:
    there = service()
    there["metadata"]["namespace"] = name
    for verb in ("apply", "create", "replace", "delete", "diff"):
        assert judge_objects([service()], name, verb).decision == "deny"
        assert judge_objects([there], "", verb).decision == "deny"
