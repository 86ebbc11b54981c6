"""Labels, annotations and the rest of an object's metadata."""

from __future__ import annotations

from typing import Any

from .command import Refused
from .content_rules import Manner, Rule, fields, only, scalar
from .content_words import fold, show
from .names import is_key, is_label_value, is_name, is_namespace

#: Domains of Kubernetes belong to its controllers; these names in them do not.
_OPEN = frozenset(
    {
        "app.kubernetes.io/name", "app.kubernetes.io/instance", "app.kubernetes.io/version",
        "app.kubernetes.io/component", "app.kubernetes.io/part-of", "kubectl.kubernetes.io/restartedAt",
        "kubectl.kubernetes.io/default-container", "kubectl.kubernetes.io/default-logs-container",
        "kubernetes.io/change-cause", "kubernetes.io/description", "controller.kubernetes.io/pod-deletion-cost",
        "cluster-autoscaler.kubernetes.io/safe-to-evict",
    }
)  # fmt: skip
#: Bookkeeping of kubectl, which a manifest may still have in it and which is not sent.
_NOISE = "kubectl.kubernetes.io/last-applied-configuration"
_JOINS_MESH = ("linkerd.io/inject", "enabled")
#: Whoever reads labels and annotations of these domains decides about ownership, meshes, admission, devices,
#: identities, copies of Secrets, or what is reached from outside. A domain stands for all that end in it.
_DOMAINS = tuple(
    "kubernetes.io k8s.io x-k8s.io k8s-sigs.io fluxcd.io helm.sh argoproj.io cattle.io k14s.io linkerd.io istio.io "
    "hashicorp.com kuma.io konghq.com dapr.io cilium.io projectcalico.org tigera.io cncf.io crio.io nri.io kubevirt.io "
    "amazonaws.com gke.io google.com azure.com azure.workload.identity k8s.aws banzaicloud.io external-secrets.io "
    "bitnami.com mittwald.de emberstack.com appscode.com cert-manager.io kyverno.io gatekeeper.sh getambassador.io "
    "traefik.io haproxy.org haproxy.com opentelemetry.io katacontainers.io openshift.io crossplane.io agent-gateway "
    "solo.io tailscale.com spiffe.io infisical.com doppler.com datadoghq.com dynatrace.com metallb.io "
    "metallb.universe.tf weave.works longhorn.io rook.io velero.io k3s.io".split()
)
_PREFIXES = ("io.kubernetes.", "io.katacontainers.", "io.containerd.", "run.oci.", "io.cilium.", "agent-gateway")
_WORDS = ("inject", "snippet", "podsecurity", "seccomp", "apparmor", "rolearn", "aadpodidbinding", "managedby",
          "privileged", "serviceaccount", "istio", "linkerd")  # fmt: skip


def is_protected(key: str) -> bool:
    """Whether a label or an annotation belongs to somebody who acts on it."""
    if key in _OPEN:
        return False
    domain, slash, _ = key.casefold().rpartition("/")
    if slash and any(domain == each or domain.endswith(f".{each}") for each in _DOMAINS):
        return True
    if key.casefold().startswith(_PREFIXES):
        return True
    folded = fold(key)
    return any(word in folded for word in _WORDS)


def _check_entry(key: Any, value: Any, manner: Manner) -> None:
    if not isinstance(key, str) or not is_key(key):
        raise Refused(f"{show(key)} is no name of a label or an annotation.")
    if (key, value) == _JOINS_MESH or (key == _NOISE and not manner.patch):
        return
    if is_protected(key):
        raise Refused(f"The label or annotation '{key[:120]}' is not changed.")
    if value is not None and not isinstance(value, str):
        raise Refused(f"The value of the label or annotation '{key[:120]}' must be a text.")
    scalar(value, manner)


def notes(value: Any, manner: Manner) -> None:
    """Annotations, none of them somebody else's; single ones may be taken away."""
    if not isinstance(value, dict):
        raise Refused("Labels and annotations are a map, and are not taken away as a whole.")
    for key, each in value.items():
        _check_entry(key, each, manner)


def labels(value: Any, manner: Manner) -> None:
    """Labels; as annotations, with shorter values."""
    notes(value, manner)
    if any(each is not None and not is_label_value(each) for each in value.values()):
        raise Refused("The value of a label is not one that a label can have.")


def _name(value: Any, manner: Manner) -> None:
    if not isinstance(value, str) or not is_name(value):
        raise Refused("The name of an object is none.")


def _namespace(value: Any, manner: Manner) -> None:
    if not isinstance(value, str) or not is_namespace(value):
        raise Refused("The namespace of an object is none.")


_empty = only(None, why="A time of creation is the server's.")
#: Of templates of pods, jobs and claims.
template_metadata: Rule = fields({"labels": labels, "annotations": notes, "creationTimestamp": _empty})
#: Of objects in manifests; what the server wrote and the planner drops may still be there.
object_metadata: Rule = fields(
    {
        "name": _name, "namespace": _namespace, "labels": labels, "annotations": notes, "resourceVersion": scalar,
        "creationTimestamp": scalar, "generation": scalar, "selfLink": scalar,
    }
)  # fmt: skip
#: What patches may change of it.
patched_metadata: Rule = fields({"labels": labels, "annotations": notes, "resourceVersion": scalar, "name": _name})
