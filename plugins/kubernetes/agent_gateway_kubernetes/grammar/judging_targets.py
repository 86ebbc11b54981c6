"""Which objects a command may change: their kinds, their namespaces, and the few that are nobody's to change."""

from __future__ import annotations

from .command import Command, Refused, ResourceRef
from .content_places import check_name, is_control_namespace
from .kinds import Kind, kind_of

#: Verb -> the letters of `kind_table`, one of which a kind must have, and what cannot be done to the others.
_LETTERS = {
    "patch": ("pfu", "patched"),
    "label": ("l", "labelled"),
    "annotate": ("lf", "annotated"),
    "delete": ("x", "deleted"),
    "scale": ("s", "scaled"),
    "autoscale": ("h", "scaled automatically"),
    "rollout restart": ("o", "restarted"),
    "rollout undo": ("o", "rolled back"),
    "rollout pause": ("z", "paused"),
    "rollout resume": ("z", "resumed"),
    "set image": ("t", "given other images"),
    "set env": ("t", "given other variables"),
    "set resources": ("t", "given other requests and limits"),
    "expose": ("e", "exposed"),
}
_API_SERVER = ("services", "kubernetes")


def check_targets(command: Command) -> None:
    """`Refused` when the objects of a write are not changed."""
    if is_control_namespace(command.namespace):
        raise Refused(f"Nothing is changed in the namespace '{command.namespace}'.")
    for each in command.resources:
        _check_kind(command.verb, each)
        if (each.full_kind, each.name) == _API_SERVER:
            raise Refused("The service 'kubernetes' belongs to the cluster.")
        kind = kind_of(each)
        if kind is not None:
            check_name(kind, each.name)


def _check_kind(verb: str, reference: ResourceRef) -> None:
    if verb == "taint" and reference.full_kind != "nodes":
        raise Refused("Only nodes have taints.")
    letters, done = _LETTERS.get(verb, ("", ""))
    if not letters:
        return
    kind = kind_of(reference)
    if kind is None:
        raise Refused(f"Objects of the kind '{reference.full_kind}' are not changed: it is not known here.")
    if kind.uses.isdisjoint(letters):
        raise Refused(_reason(kind, verb, done))


def _reason(kind: Kind, verb: str, done: str) -> str:
    if verb == "delete" and not kind.namespaced:
        return f"'{kind.plural}' belong to the whole cluster and are not deleted."
    if kind.group == "rbac.authorization.k8s.io" or kind.plural == "serviceaccounts":
        return "Rights and identities are not changed."
    return f"'{kind.plural}' are not {done} by a command."
