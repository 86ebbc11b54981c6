"""What a command sets on objects: labels, annotations, taints, images, variables and the containers it does it to.

A patch could set the same, so the same rules hold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from .command import Command, Refused, ResourceRef
from .content_environment import variable
from .content_flux import GROUP_END, flux_metadata
from .content_labels import is_protected, labels, notes
from .content_rules import Manner
from .names import is_image, is_key, is_label_value, is_namespace

_PATCHED = Manner(patch=True)
_EFFECTS = frozenset({"NoSchedule", "PreferNoSchedule", "NoExecute"})
_PROXIES = frozenset({"linkerd-proxy", "linkerd-init", "linkerd-network-validator", "istio-proxy", "istio-init",
                      "istio-validation"})  # fmt: skip
#: Which of a node's labels and taints are on a list of harmless ones elsewhere, but are its own here.
_NODE_OWNER = "kubernetes.io"


def check_settings(command: Command) -> None:
    """`Refused` when what a command sets is never set."""
    check = _CHECKS.get(command.verb)
    if check is not None:
        check(command)


def _check_metadata(command: Command) -> None:
    values: dict[str, str | None] = {}
    for word in command.words:
        key, value = _split(word)
        if key in values:
            raise Refused(f"'{key[:80]}' is changed twice.")
        values[key] = value
    for each in command.resources:
        _check_entries(command.verb, each, values)


def _check_entries(verb: str, reference: ResourceRef, values: Mapping[str, str | None]) -> None:
    if reference.group.endswith(GROUP_END):
        flux_metadata({"labels" if verb == "label" else "annotations": values}, _PATCHED)
    elif verb == "label":
        labels(values, _PATCHED)
    else:
        notes(values, _PATCHED)
    if reference.full_kind == "nodes":
        for key in values:
            _check_node_key(key)


def _check_node_key(key: str) -> None:
    if is_protected(key) or key.partition("/")[0].endswith(_NODE_OWNER):
        raise Refused(f"'{key[:80]}' is set on nodes by Kubernetes and by their provider only.")


def _split(word: str) -> tuple[str, str | None]:
    """`key=value`, or `key-` without a value."""
    key, equals, value = word.partition("=")
    return (key, value) if equals else (word.removesuffix("-"), None)


def _check_taints(command: Command) -> None:
    for word in command.words:
        removed = word.endswith("-")
        pair, colon, effect = word.removesuffix("-").partition(":")
        key, _, value = pair.partition("=")
        if not is_key(key) or not is_label_value(value) or (effect not in _EFFECTS and (colon or not removed)):
            raise Refused(f"{word[:80]!r} is no taint.")
        if effect == "NoExecute" and not removed:
            raise Refused("A taint with NoExecute evicts everything at once.")
        _check_node_key(key)


def _check_images(command: Command) -> None:
    for word in command.words:
        container, equals, image = word.partition("=")
        if not equals or not (container == "*" or is_namespace(container)) or not is_image(image):
            raise Refused(f"{word[:80]!r} gives no container an image.")
        _check_container(container)


def _check_variables(command: Command) -> None:
    for word in (*command.words, *command.values("env")):
        name, value = _split(word)
        variable({"name": name, "value": value}, _PATCHED)
    if prefix := command.options.get("prefix"):
        variable({"name": f"{prefix}X"}, _PATCHED)
    _check_containers(command)


def _check_containers(command: Command) -> None:
    _check_container(command.options.get("containers", ""))


def _check_container(name: str) -> None:
    if name in _PROXIES:
        raise Refused(f"The container '{name}' belongs to the mesh.")


_CHECKS: Mapping[str, Callable[[Command], None]] = {
    "label": _check_metadata,
    "annotate": _check_metadata,
    "taint": _check_taints,
    "set image": _check_images,
    "set env": _check_variables,
    "set resources": _check_containers,
}
