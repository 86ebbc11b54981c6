"""The kinds that the grammar knows, and what may be done with each."""

from __future__ import annotations

import msgspec

from .command import Refused, ResourceRef
from .kind_table import TABLE
from .names import is_kind, is_version


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """A built-in kind. `uses` are the letters of `kind_table`; the first of `versions` is preferred."""

    plural: str
    singular: str
    kind: str
    group: str
    versions: tuple[str, ...]
    short_names: tuple[str, ...]
    uses: frozenset[str]

    @property
    def namespaced(self) -> bool:
        """Whether its objects live in namespaces."""
        return "c" not in self.uses

    @property
    def readable(self) -> bool:
        """Whether it is on the list of reads."""
        return "r" in self.uses

    @property
    def writable(self) -> bool:
        """Whether there is anything of it that may be changed after an approval."""
        return not self.uses.isdisjoint("mplxshoztefu")

    @property
    def forbidden(self) -> bool:
        """Whether not even reading it may be approved."""
        return "!" in self.uses

    def refer(self, name: str = "", version: str = "") -> ResourceRef:
        """A reference to the kind, or to one object of it."""
        return ResourceRef(kind=self.plural, group=self.group, version=version, name=name, namespaced=self.namespaced)


def _read_table() -> tuple[Kind, ...]:
    found = []
    for group, lines in TABLE.items():
        for line in lines.strip().splitlines():
            plural, kind, versions, short_names, uses = line.split()
            found.append(
                Kind(
                    plural=plural,
                    singular=kind.lower(),
                    kind=kind,
                    group=group,
                    versions=tuple(versions.split(",")),
                    short_names=tuple(short_names.split(",")) if short_names != "-" else (),
                    uses=frozenset(uses) - {"-"},
                )
            )
    return tuple(found)


KINDS = _read_table()
#: What `kubectl get all` means here: these and no others, whatever the cluster adds.
ALL = ("pods", "replicationcontrollers", "services", "daemonsets", "deployments", "replicasets", "statefulsets",
       "horizontalpodautoscalers", "cronjobs", "jobs")  # fmt: skip

_BY_NAME: dict[str, Kind] = {}
_BY_GROUP: dict[tuple[str, str], Kind] = {}
_BY_KIND: dict[tuple[str, str], Kind] = {}
for _kind in KINDS:
    _BY_KIND[_kind.group, _kind.kind] = _kind
    for _name in (_kind.plural, _kind.singular, *_kind.short_names):
        _BY_NAME.setdefault(_name, _kind)
        _BY_GROUP[_name, _kind.group] = _kind

_SECRET = ("secret", "secrets")


def kind_of(reference: ResourceRef) -> Kind | None:
    """The built-in kind of a reference; None for a kind that only the cluster knows."""
    return _BY_GROUP.get((reference.kind, reference.group)) if reference.known else None


def kind_of_object(api_version: str, kind: str) -> Kind | None:
    """The built-in kind of an object in a manifest, None when it is not known."""
    group, slash, version = api_version.rpartition("/")
    if not is_version(version) or (slash and not group):
        return None
    return _BY_KIND.get((group, kind))


def resolve(text: str) -> ResourceRef:
    """Read a kind as commands name it: `po`, `deployments.apps`, `deployments.v1.apps`. `Refused` for no kind.

    Case does not matter, as to kubectl. Whatever looks like the kind Secret is one, and is refused.
    """
    lower = text.lower() if text.isascii() else text
    if not is_kind(lower):
        raise Refused(f"{text[:80]!r} is no kind of object.")
    first, _, rest = lower.partition(".")
    if looks_secret(first):
        raise Refused("Secrets are neither read nor changed.")
    version, dot, group = rest.partition(".")
    if not is_version(version) or (not dot and rest):
        version, group = "", rest
    kind = _BY_GROUP.get((first, group)) if rest else _BY_NAME.get(first)
    if kind is None:
        if lower.endswith("."):
            raise Refused(f"{text[:80]!r} is no kind of object.")
        return ResourceRef(kind=first, group=group, version=version, known=False)
    if kind.forbidden:
        raise Refused(f"Objects of the kind '{kind.kind}' hold credentials.")
    return kind.refer(version=version)


def looks_secret(word: str) -> bool:
    """Whether a word is `secret` or `secrets`, or one that is meant to be read as it."""
    if word in _BY_NAME and not _BY_NAME[word].forbidden:
        return False
    return any(abs(len(word) - len(each)) <= 2 and _distance(word, each) <= 2 for each in _SECRET)


def _distance(one: str, other: str) -> int:
    """How many letters must be put in, taken out or replaced."""
    row = list(range(len(other) + 1))
    for number, letter in enumerate(one, 1):
        before, row[0] = row[0], number
        for column, against in enumerate(other, 1):
            change = before + (letter != against)
            before, row[column] = row[column], min(change, row[column] + 1, row[column - 1] + 1)
    return row[-1]
