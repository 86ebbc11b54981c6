"""A plain request as the patterns see it: kinds are marked, the place is taken out, and words without meaning go."""

from __future__ import annotations

import re
from dataclasses import dataclass

import agent_gateway as ag

from .recognized_kinds import KIND, KINDS, find_kind, is_plural
from .recognized_names import NAME, read_name

_MARKED = re.compile(rf"(?<![\w.\-/\"'`])(?:{KIND})(?=[\s/,]|'s|\Z)")
_PLACE = re.compile(rf"(?<!\S)(?:in|inside|within) (?P<place>{NAME})(?!\S)")
_EMPTY = re.compile(
    r"(?<!\S)(?:the|my|our|all|any|some|existing|kubernetes|k8s|various|individual|of (?=<p)|(?:that|which) (?=are |is ))(?!\S)"  # noqa: E501 - a pattern is easier to read in one line
)
#: Written for one and for many alike.
_EITHER = frozenset({"ingress", "endpoint", "quota"})
_LONGEST_SHORT = 4

#: A kind, as it is marked: for one (`s`), for many (`p`), or a short name, which is either (`x`).
ONE = r"<[sx]:(?P<kind>[^<>]+)>"
MANY = r"(?P<kinds><[px]:[^<>]+>(?:(?:,| and| or| &| plus)+ <[px]:[^<>]+>)*)"
#: One object: its kind and its name, in either order.
OBJECT = rf"(?:<[spx]:(?P<kind>[^<>]+)>(?: called| named| with name)?[ /](?P<name>{NAME})|(?P<name_before>{NAME}) {ONE.replace('kind', 'kind_behind')})"  # noqa: E501 - a pattern is easier to read in one line


@dataclass(frozen=True)
class Words:
    """The words of a request; `namespace` is where it looks, however that was said, `everywhere` all namespaces.

    `named`: the word `namespace`, or an option, told which word is its name.
    """

    text: str
    namespace: str
    everywhere: bool
    named: bool

    def scope(self, *, listing: bool = False) -> str:
        """The options of a command; a listing without a namespace is of all of them."""
        if self.namespace:
            return f" -n {self.namespace}"
        return " -A" if listing or self.everywhere else ""

    @property
    def where(self) -> str:
        """The same in words."""
        return f" in namespace {self.namespace}" if self.namespace else ""


def read_words(request: ag.PlainRequest) -> Words:
    """The words of a request, as the patterns expect them."""
    text, place = request.rest, request.namespace
    if not place:
        found = [each for each in _PLACE.finditer(text) if _may_be_place(each["place"])]
        if len(found) == 1:
            place = read_name(found[0]["place"])
            text = f"{text[: found[0].start()]} {text[found[0].end() :]}"
    if "<" in text or ">" in text:
        # The marks of kinds must be ours.
        return Words("", place, request.all_namespaces, bool(request.namespace))
    text = _MARKED.sub(_mark, " ".join(text.split()))
    text = " ".join(_EMPTY.sub(" ", text).split()).strip(" ,")
    return Words(text, place, request.all_namespaces and not place, bool(request.namespace))


def _may_be_place(word: str) -> bool:
    name = read_name(word)
    return bool(name) and word not in KINDS and "." not in name


def _mark(found: re.Match[str]) -> str:
    written = found[0]
    if written in _EITHER or (
        len(written) <= _LONGEST_SHORT and written not in {"pod", "pods", "job", "jobs", "role", "node"}
    ):
        number = "x"
    else:
        number = "p" if is_plural(written) else "s"
    return f"<{number}:{find_kind(written).plural}>"


def object_of(found: re.Match[str]) -> tuple[str, str]:
    """Kind (plural) and name of the one object in a match of `OBJECT`; both are empty when the name is none."""
    parts = found.groupdict()
    name = read_name(parts.get("name") or parts.get("name_before") or "")
    kind = parts.get("kind") or parts.get("kind_behind") or ""
    return (kind, name) if name and kind else ("", "")
