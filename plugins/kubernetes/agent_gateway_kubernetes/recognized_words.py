"""A plain request as the phrases see it: kinds are marked, the place is taken out, empty words are gone."""

from __future__ import annotations

import re
from dataclasses import dataclass

import agent_gateway as ag

from .recognized_kinds import KIND, KINDS, find_kind, is_plural

_MARKED = re.compile(rf"(?<![\w.\-/\"'`])(?:{KIND})(?=[\s/,]|[?!.:;](?:\s|\Z)|\Z)")
_PLACE = re.compile(rf"(?<!\S)(?:in|inside|within) (?P<place>{ag.Phrases.NAME})(?=[\s,:;?!.]|\Z)")
#: What is listed may also come from a place, and one object of a place.
_FROM = re.compile(
    rf"(?P<what><[px]:[^<>]+>|\bevents|<[sx]:[^<>]+>[ /]{ag.Phrases.NAME}) from (?P<place>{ag.Phrases.NAME})(?=\s|\Z)"
)
_EMPTY = re.compile(
    r"(?<!\S)(?:(?:all|each|any|some) of(?= the|our| <)|the|my|our|all|any|some|every|each|existing|various"
    r"|individual|(?<=> )(?:resources|objects)|only|just|exactly|cluster(?= <p:nodes>)|(?:that|which)(?= are "
    r"| is )|(?:kubernetes|k8s)(?= <| events| cluster events))(?!\S)"
)
#: Written for one and for many alike, as short names are.
_EITHER = frozenset({"ingress", "endpoint", "quota", "deploy", "autoscaler"})
_SHORT = re.compile(r"(?!pods?$|jobs?$|roles?$|nodes?$|certs?$)[a-z]{2,4}")

#: A command that is spoken of.
_TYPED = re.compile(
    r"\A(?:show )?(?:(?:run|execute|do|issue|try) (?:an? |the )?kubectl|k(?= (?:get|describe|logs|top|rollout) )) "
)
#: How a pod's name ends: with its number, or with what its workload has added.
_POD = re.compile(r"-(?:\d+|[bcdfghjklmnpqrstvwxz2456789]{5})\Z")

#: A kind as it is marked, for one object or as a short name; for many; and one object with its name, in either order.
ONE = r"<[sx]:(?P<kind>[^<>]+)>"
MANY = r"(?P<kinds><[px]:[^<>]+>(?:(?:,| and| or| &| plus)+ <[px]:[^<>]+>)*)"
OBJECT = (
    rf"<[spx]:(?P<kind>[^<>]+)>(?: called| named| with name)?[ /](?P<name>{ag.Phrases.NAME})"
    rf"|(?P<name>{ag.Phrases.NAME})(?P<turned> )<[sx]:(?P<kind>[^<>]+)>"
)
#: An object, or a name alone.
SUBJECT = rf"{OBJECT}|(?P<name>{ag.Phrases.NAME})"


@dataclass(frozen=True)
class Words:
    """The words of a request; `namespace` is where it looks, however that was said, `everywhere` all namespaces.

    `named`: the word `namespace`, or an option, told which word is its name. `asks_list`: it says "list" or "get".
    `said`: the words with their articles.
    """

    text: str
    namespace: str
    everywhere: bool
    named: bool
    asks_list: bool
    said: str

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
    """The words of a request, as the phrases expect them."""
    text, place = request.rest, request.namespace
    text = re.sub(r" -o[ =]?(yaml|json)(?!\S)", r" as \1", _TYPED.sub("kubectl ", text, count=1))
    if text.startswith("kubectl "):
        text = re.sub(r"^kubectl (?:get )?(?=\S)", lambda found: "show " if "get" in found[0] else "", text)
    if not place:
        found = [each for each in _PLACE.finditer(text) if _may_be_place(each["place"])]
        if len(found) == 1:
            place = ag.read_name(found[0]["place"], place=True)
            text = f"{text[: found[0].start()]} {text[found[0].end() :]}"
    # The marks of kinds must be ours.
    text = "" if "<" in text or ">" in text else _MARKED.sub(_mark, " ".join(text.split()))
    text = re.sub(r"(?<!\S)(?:every|each) <s:", "<p:", text)
    if not place and (source := _FROM.search(text)) and _may_be_place(source["place"]):
        place, text = source["place"], f"{text[: source.start()]}{source['what']}{text[source.end() :]}"
    text = " ".join(_EMPTY.sub(" ", re.sub(r",(?! <[px])", " ", text)).split())
    asks_list = bool(re.search(r"\b(?:list|get)\b", request.text.lower()))
    return Words(text, place, request.all_namespaces and not place, bool(request.namespace), asks_list, request.rest)


def is_place(name: str) -> bool:
    """Whether what stands behind many objects is where they are: no pod has such a name, and no sentence the word."""
    return "-" in name and not _POD.search(name)


def _may_be_place(word: str) -> bool:
    name = ag.read_name(word, place=True)
    return bool(name) and word not in KINDS and "." not in name


def _mark(found: re.Match[str]) -> str:
    written = found[0]
    number = "p" if is_plural(written) else "s"
    if written in _EITHER or _SHORT.fullmatch(written):
        number = "x"
    return f"<{number}:{find_kind(written).plural}>"
