"""Secrets that are told by what is around them: key files, headers, addresses, command lines."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator

from agent_gateway.redaction.addresses import REFERENCE
from agent_gateway.redaction.tokens import Span, looks_random

_KEY_BEGIN = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_KEY_END = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_KEY_LINES = re.compile(r"(?:(?:\s|\\[nrt]|[\"'+,>#]){0,80}[A-Za-z0-9+/]{16,}={0,2})*")
_KEY_BREAK = re.compile(r"(?:\s|\\[nrt]|[\"'+,>#])+")
_KEY_LINE = re.compile(r"[A-Za-z0-9+/]{4,}={0,2}")
_KEY_LONGEST = 20_000

#: What must be there (in small letters) for the pattern to be tried; the secret is group 1.
_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (hint, re.compile(pattern))
    for hint, pattern in (
        (
            "authorization",
            r"authorization\\{0,3}[\"']?\s{0,8}[:=]\s{0,8}\\{0,3}[\"']?(?:(?:bearer|basic|token|digest)\s+)?([^\s\"'`,<]{6,})",
        ),
        ("cookie", r"\bcookie\\{0,3}[\"']?\s{0,8}[:=]\s{0,8}\\{0,3}[\"']?([^\n\"'`\\<]{6,})"),
        ("curl", r"\bcurl\b[^\n]{0,400}?\s(?:-u|--user)[ =]?[\"']?[^\s:\"']{0,64}:([^\s\"']+)"),
        ("mysql", r"\bmysql[a-z]{0,10}\b[^\n]{0,200}?\s-p([^\s\"']{3,})"),
        ("login", r"\blogin\b[^\n]{0,200}?\s-p[ =]?[\"']?([^\s\"'-][^\s\"']{2,})"),
        ("sshpass", r"\bsshpass\s+-p\s?[\"']?([^\s\"']+)"),
        ("redis-cli", r"\bredis-cli\b[^\n]{0,200}?\s-a\s+[\"']?([^\s\"']+)"),
        ("pass:", r"-pass(?:in|out)?\s+[\"']?pass:([^\s\"']+)"),
        ("password", r"\blogin\s+\S{1,128}\s+password\s+(\S+)"),
        ("identified by", r"\bidentified\s+by\s+[\"']([^\"'\n]+)"),
        ("password '", r"\bpassword\s+'([^'\n]+)'"),
        ("password>", r"password>([^<\s][^<]{0,256})</"),
        ("token>", r"token>([^<\s][^<]{0,1024})</"),
        ("hooks.slack.com", r"hooks\.slack\.com/(?:services|workflows|triggers)/((?=[\w/-]*[0-9])[\w/-]{16,})"),
        ("/api/webhooks/", r"/api/webhooks/([0-9]{6,}/[\w-]{16,})"),
        (":aa", r"\b([0-9]{8,10}:aa[\w-]{30,})"),
        ("q~", r"(?<![\w~.-])([\w~.-]{3}[0-9]q~[\w~.-]{30,})"),
        (".atlasv1.", r"\b([a-z0-9]{14}\.atlasv1\.[\w-]{40,})"),
        ("sig=", r"[?&]sig=([a-z0-9%+/=_-]{20,})"),
        ("x-amz-signature=", r"x-amz-signature=([a-f0-9]{32,})"),
        ("akia", r"\bakia[a-z0-9]{16}[\"']?[\s,:|]{1,8}[\"']?([a-z0-9/+]{40})(?![a-z0-9/+])"),
        ("asia", r"\basia[a-z0-9]{16}[\"']?[\s,:|]{1,8}[\"']?([a-z0-9/+]{40})(?![a-z0-9/+])"),
    )
)


def find_shapes(text: str, lower: str) -> Iterator[Span]:
    """Yield the secrets that their surroundings tell; `lower` is the text in small letters."""
    if "private key" in lower:
        yield from _private_keys(text)
    for hint, pattern in _PATTERNS:
        if hint in lower:
            yield from (found.span(1) for found in pattern.finditer(lower) if not REFERENCE.match(found[1]))
    for hint, pattern, judge in _JUDGED:
        for found in pattern.finditer(lower) if hint in lower else ():
            value = text[found.start(1) : found.end(1)].rstrip(".!?;:)")
            if judge(value) and not REFERENCE.match(value):
                yield found.start(1), found.start(1) + len(value)


def _private_keys(text: str) -> Iterator[Span]:
    """Yield private keys, also those whose beginning or end was cut off."""
    ends = [found.span() for found in _KEY_END.finditer(text)]
    last = number = 0
    for begin in _KEY_BEGIN.finditer(text):
        if begin.start() < last:
            continue
        while number < len(ends) and ends[number][0] < begin.end():
            number += 1
        if number < len(ends) and ends[number][1] <= begin.end() + _KEY_LONGEST:
            last = ends[number][1]
        else:
            lines = _KEY_LINES.match(text, begin.end())
            last = lines.end() if lines else begin.end()
        yield begin.start(), last
    for start, end in ends:
        first = _first_line(text, max(last, start - _KEY_LONGEST), start)
        if first < start:
            yield first, end
        last = max(last, end)  # the next one's lines begin behind this one


def _first_line(text: str, least: int, end: int) -> int:
    """Where the lines of a key begin that end here; `end` when there are none."""
    start = end
    gaps = [found.span() for found in _KEY_BREAK.finditer(text, least, end)] if least < end else []
    for number in range(len(gaps) - 1, -1, -1):
        before = gaps[number - 1][1] if number else least
        if not _KEY_LINE.fullmatch(text, before, gaps[number][0]):
            break
        start = before
    return start


def _is_pair(encoded: str) -> bool:
    """Tell whether this is `user:password` in base64."""
    try:
        decoded = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_" if "-" in encoded else None)
    except (binascii.Error, ValueError):
        return False
    return b":" in decoded and decoded.isascii()


def _has_digit(value: str) -> bool:
    return any(map(str.isdigit, value))


def _is_odd(value: str) -> bool:
    """Tell what no sentence has in this place."""
    return looks_random(value) and not value.isdigit()


_SAID = r"\s(?:is|was|=|:)[:=]?\s{1,4}[\"'`]?([^\s\"'`,]{6,})"
#: What must be there, the pattern, and what its first group must be.
_JUDGED: tuple[tuple[str, re.Pattern[str], Callable[[str], bool]], ...] = tuple(
    (hint, re.compile(pattern), judge)
    for hint, pattern, judge in (
        ("bearer", r"bearer\s{1,4}([a-z0-9._~+/=-]{8,})", _has_digit),
        ("basic", r"basic\s{1,4}([a-z0-9._~+/=-]{8,})", _is_pair),
        ('"auth', r"\"auth\\{0,3}\"\s{0,8}:\s{0,8}\\{0,3}\"([a-z0-9+/=_-]{8,})", _is_pair),
        ("password", rf"password{_SAID}", _is_odd),
        ("passphrase", rf"passphrase{_SAID}", _is_odd),
        ("token", rf"token{_SAID}", _is_odd),
        ("secret", rf"secret{_SAID}", _is_odd),
        ("key", rf"(?:api|access|secret|private)[ -]key{_SAID}", _is_odd),
    )
)
