"""JSON patches, rewritten operation by operation into objects that hold just what an operation writes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .command import Refused

MOST_OPERATIONS = 100
_LONGEST = 2048
_DEEPEST = 30
#: Below these, what looks like an index is a name.
_MAPS = frozenset(
    {"data", "binaryData", "labels", "annotations", "matchLabels", "nodeSelector", "limits", "requests", "hard"}
)
#: Whoever writes one of these as a whole drops what was in it, protection and ownership included.
_WHOLE = frozenset(
    {
        "metadata", "labels", "annotations", "spec", "template", "jobTemplate", "containers", "securityContext",
        "capabilities", "seccompProfile", "appArmorProfile", "data", "binaryData", "values",
        "volumeClaimTemplates", "projected", "ephemeral",
    }
)  # fmt: skip
_INDEXED = frozenset({"containers", "volumeClaimTemplates", "sources"})


def written(patch: Any) -> Iterator[dict[str, Any]]:
    """What each operation writes, nested as in the object; a removal writes nothing (None). `Refused`."""
    if not isinstance(patch, list) or not patch:
        raise Refused("A JSON patch is a list of operations that is not empty.")
    if len(patch) > MOST_OPERATIONS:
        raise Refused("The patch has too many operations.")
    for operation in patch:
        names = _read(operation)
        if operation["op"] == "test":
            continue
        value = operation.get("value")
        _check_whole(operation["op"], names, value)
        yield _nest(names, value)


def _read(operation: Any) -> list[str]:
    """The names of an operation's pointer; `Refused` for what is no operation."""
    if not isinstance(operation, dict) or not all(isinstance(key, str) for key in operation):
        raise Refused("An operation of the patch is no object.")
    op = operation.get("op")
    if op in ("move", "copy"):
        raise Refused("A patch does not move or copy values: it cannot be seen what they are.")
    wanted = {"op", "path"} if op == "remove" else {"op", "path", "value"}
    if op not in ("add", "replace", "remove", "test") or set(operation) != wanted:
        raise Refused("An operation of the patch is not understood.")
    return _names(operation["path"])


def _names(path: Any) -> list[str]:
    if not isinstance(path, str) or not path.startswith("/") or len(path) > _LONGEST:
        raise Refused("The path of an operation does not lead into the object.")
    names = path[1:].split("/")
    if len(names) > _DEEPEST or any("~" in name.replace("~0", "").replace("~1", "") for name in names):
        raise Refused("The path of an operation is not understood.")
    return [name.replace("~1", "/").replace("~0", "~") for name in names]


def _is_index(names: list[str], at: int) -> bool:
    """Whether a name is a place in a list: `0`, `12`, `-`."""
    name = names[at]
    if at == 0 or names[at - 1] in _MAPS:
        return False
    return name == "-" or (name.isascii() and name.isdigit())


def _check_whole(op: str, names: list[str], value: Any) -> None:
    indexed = _is_index(names, len(names) - 1)
    if "values" in names and isinstance(value, dict):
        raise Refused("Of a chart's values only single ones are changed.")
    # Entries of maps may be called like anything.
    if len(names) > 1 and names[-2] in _MAPS:
        return
    replaced = names[-1] in _WHOLE or (indexed and op != "add" and len(names) > 1 and names[-2] in _INDEXED)
    if replaced and not _is_label_of_rule(names):
        raise Refused(f"'{names[-2] if indexed else names[-1]}' is not written as a whole: name the field in it.")


def _is_label_of_rule(names: list[str]) -> bool:
    """The labels and annotations of an alert belong to nobody else."""
    return "groups" in names


def _nest(names: list[str], value: Any) -> dict[str, Any]:
    nested = value
    for at in range(len(names) - 1, -1, -1):
        nested = [nested] if _is_index(names, at) else {names[at]: nested}
    return dict(nested)
