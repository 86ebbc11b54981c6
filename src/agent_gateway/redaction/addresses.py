"""Passwords and tokens in addresses: `scheme://user:password@host` and `scheme://token@host`."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator

from agent_gateway.redaction.tokens import Span, looks_random

#: An address reaches so far; its password may go on in the next line.
_RUN = re.compile(r"://[^\s\"'`<>]+")
_NEXT_LINE = re.compile(r"\r?\n[ \t]*[^\s\"'`<>@]{1,256}(?=@)")
_USER = re.compile(r"://[^\s/@:\"'`<>]{0,256}:")
_USER_ONLY = re.compile(r"://([^\s/@:\"'`<>]{16,512})@")
#: A digest of an image stands behind the same sign as a host.
_HOST = re.compile(r"@(?!sha\d+:)")
_PORT = re.compile(r"[0-9]{1,5}(?:[/?#,\s]|\Z)")
#: Longer than any password in an address.
_LONGEST = 512
#: What refers to a secret, or stands for a hidden one.
REFERENCE = re.compile(r"\\*\$|<|%[({]|\{\{|\*{3}|\[redacted")


def find_in_addresses(text: str) -> Iterator[Span]:
    """Yield what in an address is a secret; every address is read once, however many it seems to hold."""
    if "://" not in text or "@" not in text:
        return
    for run in _RUN.finditer(text):
        for start, end in _passwords(text, run):
            if not _PORT.match(text[start : min(end, start + 6)]) and not REFERENCE.match(text, start, end):
                yield start, end
    for found in _USER_ONLY.finditer(text):
        if looks_random(found[1]) and not REFERENCE.match(found[1]):
            yield found.span(1)


def _passwords(text: str, run: re.Match[str]) -> Iterator[Span]:
    below = _NEXT_LINE.match(text, run.end())
    further = below.end() if below is not None and _HOST.match(text, below.end()) else 0
    hosts = [host.start() for host in _HOST.finditer(text, *run.span())]
    user = _USER.search(text, *run.span()) if hosts or further else None
    while user is not None:
        start = user.end()
        near = bisect_right(hosts, start + _LONGEST)
        end = hosts[near - 1] if near else 0
        if further and run.end() - start <= _LONGEST:
            end = further
        if end > start:
            yield start, end
        user = _USER.search(text, end if end > start else start - 1, run.end())
