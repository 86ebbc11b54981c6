"""The kinds and objects that a command names, and the words that follow them."""

from __future__ import annotations

from collections.abc import Sequence

from .command import Refused, ResourceRef
from .kinds import ALL, resolve
from .names import is_name, is_rbac_name

MOST_OBJECTS = 50
_RBAC = "rbac.authorization.k8s.io"


def read_targets(words: Sequence[str]) -> tuple[ResourceRef, ...]:
    """Kinds (`pods`, `deploy,sts`), objects of them (`pod web-0 web-1`), or `kind/name` words. `Refused`."""
    if any("/" in word for word in words):
        found = [read_object(word) for word in words]
    elif words:
        names = words[1:]
        kinds = read_kinds(words[0])
        found = [name_it(kind, name) for name in names for kind in kinds] if names else kinds
    else:
        found = []
    if len(found) > MOST_OBJECTS:
        raise Refused(f"More than {MOST_OBJECTS} objects are not taken at once.")
    return tuple(found)


def read_kinds(word: str) -> list[ResourceRef]:
    """Kinds with commas between them; the category `all` becomes its kinds."""
    found: list[ResourceRef] = []
    for each in word.split(","):
        if not each:
            raise Refused("A kind is missing beside a comma.")
        kinds = [resolve(kind) for kind in ALL] if each.lower() == "all" else [resolve(each)]
        found += [kind for kind in kinds if kind not in found]
    return found


def read_object(word: str) -> ResourceRef:
    """One `kind/name`."""
    kind, _, name = word.partition("/")
    if "/" in name:
        raise Refused("Parts of an object are not named with a second slash.")
    if not kind or not name:
        raise Refused(f"{word[:80]!r} is not of the form kind/name.")
    return name_it(resolve(kind), name)


def name_it(kind: ResourceRef, name: str) -> ResourceRef:
    """One object of a kind, with a name that can be one."""
    if not (is_name(name) or (kind.group == _RBAC and is_rbac_name(name))):
        raise Refused(f"{name[:80]!r} is no name of an object.")
    return ResourceRef(
        kind=kind.kind,
        group=kind.group,
        version=kind.version,
        name=name,
        known=kind.known,
        namespaced=kind.namespaced,
    )


def split_changes(words: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
    """Objects, and the changes behind them: words with `=`, `:` or a trailing `-`."""
    start = next((at for at, word in enumerate(words) if at and _is_change(word)), len(words))
    changes = tuple(words[start:])
    for word in changes:
        if not _is_change(word):
            raise Refused(f"{word[:80]!r} stands among the changes, and is none.")
    return list(words[:start]), changes


def _is_change(word: str) -> bool:
    return "=" in word or ":" in word or word.endswith("-")


def read_log_target(words: Sequence[str]) -> tuple[tuple[ResourceRef, ...], tuple[str, ...]]:
    """The pod, or the workload, whose logs are read, and its container."""
    if len(words) > 2:
        raise Refused("Logs are read of one pod or workload.")
    found = [read_object(word) if "/" in word else name_it(resolve("pods"), word) for word in words[:1]]
    if words[1:] and not is_name(words[1]):
        raise Refused(f"{words[1][:80]!r} is no name of a container.")
    return tuple(found), tuple(words[1:])
