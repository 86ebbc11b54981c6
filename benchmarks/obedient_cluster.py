"""Sources in a Kubernetes cluster: events, annotations, labels, logs, objects, and what Flux says about its own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tests.flux_house import KINDS, settle
from tests.kubelet import Kubelet
from tests.kubernetes_cluster import KubernetesCluster
from tests.kubernetes_house import a_deployment, a_pod, deployments, pods

from benchmarks.obedient_cases import Case, Source

NAMESPACE, APP, POD, NODE = "obedient", "user-api", "user-api-1", "obedient-node"
_EVENTS = f"/api/v1/namespaces/{NAMESPACE}/events"
_NOTES = f"/api/v1/namespaces/{NAMESPACE}/configmaps"
_KUSTOMIZATIONS = f"/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/{NAMESPACE}/kustomizations"
_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
#: As the tools show of one text: an event's message, and a condition in a list, of which three characters are dots.
_EVENT_CUT, _CONDITION_CUT = 400, 237

Call = tuple[str, Mapping[str, object]]


def furnish(cluster: KubernetesCluster, secret: str) -> None:
    """An app with a pod, a Secret with `secret` in it, and two Kustomizations."""
    cluster.create("/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
    cluster.create(deployments(NAMESPACE), a_deployment(APP))
    cluster.create(
        f"/api/v1/namespaces/{NAMESPACE}/secrets", {"metadata": {"name": APP}, "stringData": {"key": secret}}
    )
    pod = a_pod(POD, NODE)
    pod["metadata"]["labels"] = {"app": APP}
    running = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
    cluster.create(pods(NAMESPACE), {**pod, "status": running})
    for name in ("apps", "data"):
        spec = {
            "interval": "5m",
            "prune": True,
            "path": f"./{name}",
            "sourceRef": {"kind": "GitRepository", "name": "r"},
        }
        made = {"apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": KINDS["kustomizations"], "spec": spec}
        cluster.call("POST", _KUSTOMIZATIONS, {**made, "metadata": {"name": name}})


class ClusterSources:
    """Puts the texts of cases into a cluster, each instead of the one before."""

    def __init__(self, cluster: KubernetesCluster, kubelet: Kubelet) -> None:
        self._cluster = cluster
        self._kubelet = kubelet

    def all(self) -> list[Source]:
        """All of them."""
        return [
            Source("event", self._event, cut=_EVENT_CUT),
            Source("event by kubectl", self._event_by_kubectl, cut=_EVENT_CUT),
            Source("annotation", self._annotation),
            Source("annotation by kubectl", self._annotation_by_kubectl),
            Source("label", self._label),
            Source("pod log", self._log),
            Source("pod log by kubectl", self._log_by_kubectl),
            Source("config map", self._notes),
            Source("flux list", self._flux_list, cut=_CONDITION_CUT),
            Source("flux object", self._flux_object),
        ]

    def _event(self, case: Case) -> Call:
        self._cluster.call("DELETE", _EVENTS)
        about = {"kind": "Pod", "namespace": NAMESPACE, "name": POD}
        texts = [case.order_text, case.secret_text]
        for number, text in enumerate(texts):
            made = {"metadata": {"name": f"{POD}.{case.number}.{number}"}, "involvedObject": about, "reason": "Failed"}
            self._cluster.create(_EVENTS, {**made, "type": "Warning", "message": text})
        return "cluster_events", {"namespace": NAMESPACE}

    def _event_by_kubectl(self, case: Case) -> Call:
        self._event(case)
        return "kubectl", {"command": f"kubectl get events -n {NAMESPACE}"}

    def _annotate(self, annotations: Mapping[str, str | None], labels: Mapping[str, str | None]) -> None:
        metadata: dict[str, Any] = {"annotations": annotations, "labels": labels}
        self._cluster.patch(f"{deployments(NAMESPACE)}/{APP}", {"metadata": metadata})

    def _annotation(self, case: Case) -> Call:
        self._annotate({"note": case.whole_text}, {"note": None, "access": None})
        return "describe_object", {"kind": "deployment", "name": APP, "namespace": NAMESPACE}

    def _annotation_by_kubectl(self, case: Case) -> Call:
        self._annotation(case)
        return "kubectl", {"command": f"kubectl get deployment {APP} -n {NAMESPACE} -o yaml"}

    def _label(self, case: Case) -> Call:
        """A label is short and has few characters: the order's name, and the secret where it may stand there."""
        written = case.written.rstrip("=")
        access = written if _LABEL.fullmatch(written) else None
        self._annotate({"note": None}, {"note": f"OBEY.{case.order.name}", "access": access})
        return "kubectl", {"command": f"kubectl get deployments -n {NAMESPACE} --show-labels"}

    def _log(self, case: Case) -> Call:
        lines = f"{case.order_text}\n{case.secret_text}".split("\n")
        self._kubelet.logs[f"{NAMESPACE}/{POD}/user"] = lines
        return "pod_logs", {"name": POD, "namespace": NAMESPACE}

    def _log_by_kubectl(self, case: Case) -> Call:
        self._log(case)
        return "kubectl", {"command": f"kubectl logs {POD} -n {NAMESPACE}"}

    def _notes(self, case: Case) -> Call:
        if self._cluster.exists(f"{_NOTES}/notes"):
            self._cluster.call("DELETE", f"{_NOTES}/notes")
        data = {"order": case.order_text, "access": case.secret_text}
        self._cluster.create(_NOTES, {"metadata": {"name": "notes"}, "data": data})
        return "kubectl", {"command": f"kubectl get configmap notes -n {NAMESPACE} -o yaml"}

    def _flux_list(self, case: Case) -> Call:
        for name, text in (("apps", case.order_text), ("data", case.secret_text)):
            settle(self._cluster, f"{_KUSTOMIZATIONS}/{name}", "False", text)
        return "flux_get", {"kind": "Kustomization", "namespace": NAMESPACE}

    def _flux_object(self, case: Case) -> Call:
        settle(self._cluster, f"{_KUSTOMIZATIONS}/data", "False", case.whole_text)
        return "flux_get", {"kind": "Kustomization", "name": "data", "namespace": NAMESPACE}
