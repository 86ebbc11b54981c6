"""HTML tags and links in angle brackets within an answer: what would load or lead elsewhere is taken out."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from agent_gateway.graph.writing.addresses import names_remote, target_of
from agent_gateway.graph.writing.markdown_code import LONGEST_HELD

_AUTOLINK = re.compile(r"<([A-Za-z][A-Za-z0-9+.-]{1,31}:[^\s<>]*)>")
_UNFINISHED_AUTOLINK = re.compile(r"<[A-Za-z][A-Za-z0-9+.-]*(?::[^\s<>]*)?")
_NAME = r"[A-Za-z_:][\w.:-]*"
_ATTRIBUTE = rf"""\s+{_NAME}(?:\s*=\s*(?:"[^"<>`]*"|'[^'<>`]*'|[^\s"'=<>`]+))?"""
_TAG = re.compile(rf"</?([A-Za-z][A-Za-z0-9-]*)((?:{_ATTRIBUTE})*)\s*/?>")
_VALUE = r"""(?:"[^"<>`]*|'[^'<>`]*|[^\s"'=<>`]*)"""
_UNFINISHED_TAG = re.compile(rf"</?(?:[A-Za-z][A-Za-z0-9-]*(?:{_ATTRIBUTE})*(?:\s*/?|\s+{_NAME}\s*(?:=\s*{_VALUE})?))?")
_HREF = re.compile(r"""\s+href\s*=\s*(?:"([^"]*)"|'([^']*)'|(\S+))""", re.IGNORECASE)
#: These load something, or change how what follows is read, whatever their attributes.
_NEVER = frozenset(
    "script style iframe frame frameset object embed applet link meta base form svg math template noscript textarea "
    "title xmp plaintext pre listing noembed noframes".split()
)


@dataclass(frozen=True)
class Bracket:
    """What stands for `<` and what follows; `text` is None while that is not clear, `stripped` what was taken out."""

    text: str | None
    end: int
    stripped: str = ""
    tag: bool = False


def read_bracket(text: str, start: int, given: Callable[[str], bool], *, final: bool) -> Bracket:
    """Read what begins with `<` at `start`; `given` tells whether the model had a URL from its sources."""
    follows = text[start + 1 : start + 2]
    if not follows and not final:
        return Bracket(None, start)
    if not follows or not (follows in "/!?" or (follows.isascii() and follows.isalpha())):
        return Bracket("<", start + 1)
    stop = start + LONGEST_HELD
    link = _AUTOLINK.match(text, start, stop)
    if link is not None:
        return _read_link(link, given)
    tag = _TAG.match(text, start, stop)
    if tag is not None:
        return _read_tag(tag, given)
    rest = text[start : stop + 1]
    may_go_on = _UNFINISHED_AUTOLINK.fullmatch(rest) or _UNFINISHED_TAG.fullmatch(rest)
    if not final and len(rest) <= LONGEST_HELD and may_go_on:
        return Bracket(None, start)
    # A space keeps it from becoming a tag for whoever is less strict.
    return Bracket("< ", start + 1)


def _read_link(link: re.Match[str], given: Callable[[str], bool]) -> Bracket:
    if given(link[1]):
        return Bracket(link[0], link.end())
    if "//" in link[1]:
        return Bracket("", link.end(), "link")
    return Bracket("< ", link.start() + 1)


def _read_tag(tag: re.Match[str], given: Callable[[str], bool]) -> Bracket:
    name, attributes = tag.groups()
    if name.lower() in _NEVER and not attributes:
        return Bracket("< ", tag.start() + 1)
    if name.lower() not in _NEVER:
        href = _HREF.fullmatch(attributes) if name.lower() == "a" else None
        known = href is not None and given(target_of(next(each for each in href.groups() if each is not None)))
        if known or not names_remote(attributes):
            return Bracket(tag[0], tag.end(), tag=True)
    return Bracket("", tag.end(), "tag")
