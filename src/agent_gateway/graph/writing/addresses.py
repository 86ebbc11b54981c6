"""What an address in an answer leads to, read as a browser would."""

from __future__ import annotations

import html
import re

_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_IGNORED = re.compile(r"[\x00-\x20]+")
_WHOLE = re.compile(r"""\s*(?:<[^<>\n]*>|[^\s<>]*)(?:\s+(?:"[^"<\\]*"|'[^'<\\]*'))?\s*""")
#: What many renderers make a link of although nothing says that it is one: from `://` or `www.` on.
BARE = re.compile(r"(?:://|www\.)[^\s<`|]*", re.IGNORECASE)
_BEHIND = ".,;:!?)]}*_~|'\"`"
_REMOTE = re.compile(r"[a-zA-Z][\w+.-]*:|[/\\]{2}|\\")


def is_remote(address: str) -> bool:
    """Whether a link's target in Markdown leads away from here; a scheme of any kind does."""
    return _REMOTE.match(_IGNORED.sub("", html.unescape(_ESCAPED.sub(r"\1", address))).lstrip("<")) is not None


def names_remote(attributes: str) -> bool:
    """Whether anything in an HTML tag may lead away from here."""
    return _REMOTE.search(_IGNORED.sub("", html.unescape(attributes))) is not None


def target_of(address: str) -> str:
    """A link's target without its title and marks."""
    address = address.strip()
    target = address[1:].partition(">")[0] if address.startswith("<") else (address.split() or [""])[0]
    return target.rstrip("/")


def end_bare(address: str) -> str:
    """An address in the middle of a text without the punctuation that follows it there."""
    return address.rstrip(_BEHIND)


def tidy(address: str) -> str:
    """A link's target and title as they are, or the target alone when the rest would keep it from being a link."""
    return address if _WHOLE.fullmatch(address) else target_of(address).replace("<", "")
