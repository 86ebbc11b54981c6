"""Where objects live and of what kind they are: what is out of reach whatever is in it."""

from __future__ import annotations

import re
from typing import Any

from .command import Refused
from .kinds import Kind, kind_of_object, looks_secret
from .names import is_name, is_namespace

#: What everything else stands on.
_CONTROL = re.compile(
    r"kube-.*|.*-system|flux.*|linkerd.*|istio.*|cert-manager.*|agent-gateway.*|gatekeeper.*|kyverno.*|sealed-secrets.*|"
    r"external-secrets.*|vault.*|consul.*|calico.*|tigera.*|cilium.*|metallb.*|longhorn.*|rook-.*|argocd.*|argo-cd.*|"
    r"cattle-.*|openshift.*|gke-.*|gmp-.*|aks-.*|amazon-.*|crossplane.*|external-dns.*|ingress-nginx.*|velero.*|spire.*|"
    r"olm|operators"
)
#: Others trust what stands in these.
_TRUSTED_CONFIG = re.compile(r"kube-.*|istio-.*|linkerd-.*|aws-auth|coredns|cluster-info|extension-.*|.*\.crt")
_BY_GROUP = {
    "rbac.authorization.k8s.io": "Rights are not changed.",
    "certificates.k8s.io": "Certificates are neither asked for nor approved here.",
    "authentication.k8s.io": "Tokens are neither made nor reviewed here.",
    "admissionregistration.k8s.io": "What the cluster admits is not changed.",
    "apiextensions.k8s.io": "The kinds of the cluster are not changed.",
    "apiregistration.k8s.io": "The APIs of the cluster are not changed.",
    "policy.linkerd.io": "The policies of the mesh are not changed.",
    "linkerd.io": "The policies of the mesh are not changed.",
    "gateway.networking.k8s.io": "What is reached from outside is not changed here.",
    "external-secrets.io": "Secrets come from Git or their store, and are not made here.",
    "bitnami.com": "Secrets come from Git or their store, and are not made here.",
}
_BY_KIND = {
    "serviceaccounts": "Identities are not changed.",
    "networkpolicies": "The walls between workloads are not changed.",
    "nodes": "Nodes are not written, only cordoned, tainted and labelled.",
}


def is_control_namespace(name: str) -> bool:
    """Tell whether a namespace holds what the cluster, its Git and its mesh stand on."""
    return _CONTROL.fullmatch(name) is not None


def kind_in(manifest: dict[str, Any]) -> Kind:
    """The kind of a manifest's object; `Refused` when the grammar does not know it in that version."""
    version, name = manifest.get("apiVersion"), manifest.get("kind")
    if not isinstance(version, str) or not isinstance(name, str) or not name:
        raise Refused("An object of the manifest has no 'apiVersion' or no 'kind'.")
    kind = kind_of_object(version, name)
    if kind is None:
        if looks_secret(name.casefold()[:20]):
            raise Refused("Secrets are neither read nor changed.")
        raise Refused(f"Objects of the kind {name[:80]!a} of {version[:80]!a} are not written here.")
    if version.rpartition("/")[2] not in kind.versions:
        raise Refused(f"The kind '{kind.kind}' is written as version {' or '.join(kind.versions)}.")
    return kind


def check_kind(kind: Kind | None, use: str) -> None:
    """`Refused` when objects of a kind are not for one of some uses (letters of `kind_table`)."""
    if kind is None:
        raise Refused("Objects of a kind that is not built in are not changed here.")
    if kind.forbidden:
        raise Refused(f"Objects of the kind '{kind.kind}' hold credentials.")
    if not kind.namespaced or kind.uses.isdisjoint(use):
        reason = _BY_KIND.get(kind.plural) or _BY_GROUP.get(kind.group)
        if reason is None:
            scope = "" if kind.namespaced else ", which belong to the whole cluster,"
            reason = f"Objects of the kind '{kind.kind}'{scope} are not changed in this way."
        raise Refused(reason)


def check_place(manifest: dict[str, Any], namespace: str, kind: Kind) -> None:
    """`Refused` when an object's name and namespace are none, do not fit the command, or are out of reach."""
    metadata = manifest.get("metadata")
    if not isinstance(metadata, dict):
        raise Refused(f"A {kind.kind} of the manifest has no metadata.")
    name = metadata.get("name")
    if not isinstance(name, str) or not is_name(name):
        raise Refused(f"A {kind.kind} of the manifest has no name, or none that it can have.")
    written = metadata.get("namespace", namespace)
    if not isinstance(written, str) or not isinstance(namespace, str):
        raise Refused("A namespace of the manifest is no text.")
    if namespace and written != namespace:
        raise Refused("The manifest and the command name different namespaces.")
    if written and not is_namespace(written):
        raise Refused("A namespace of the manifest has a name that none can have.")
    if is_control_namespace(written):
        raise Refused(f"Nothing is changed in the namespace '{written}', which the cluster stands on.")
    check_name(kind, name)


def check_name(kind: Kind, name: str) -> None:
    """`Refused` for a ConfigMap that others trust, and for the API server's own service."""
    if kind.plural == "configmaps" and _TRUSTED_CONFIG.fullmatch(name):
        raise Refused(f"The ConfigMap '{name}' is trusted by others and is not changed.")
    if kind.plural == "services" and name == "kubernetes":
        raise Refused("The service 'kubernetes' belongs to the cluster.")
