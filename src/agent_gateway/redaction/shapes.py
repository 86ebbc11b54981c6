"""Secrets that are told by what is around them: key files, headers, addresses, command lines."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator

from agent_gateway.redaction.tokens import Span, looks_random

_LINE = r"(?:\s|\\[nrt]|[\"'+,>#])*"
_KEY_BEGIN = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_KEY_END = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_KEY_LINES = re.compile(r"(?:(?:\s|\\[nrt]|[\"'+,>#]){0,80}[A-Za-z0-9+/]{16,}={0,2})*")
_KEY_LINES_BEFORE = re.compile(r"(?:[A-Za-z0-9+/]{4,}={0,2}(?:\s|\\[nrt]|[\"'+,>#]){1,80})+\Z")
_KEY_LONGEST = 20_000

#: What must be there (in small letters) for the pattern to be tried; the secret is group 1.
_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (hint, re.compile(pattern, re.IGNORECASE))
    for hint, pattern in (
        (
            "authorization",
            r"authorization\\{0,3}[\"']?\s{0,8}[:=]\s{0,8}\\{0,3}[\"']?((?:(?:bearer|basic|token|digest)\s+)?[^\s\"'`\\,<]{6,})",
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
        ("hooks.slack.com", r"hooks\.slack\.com/(?:services|workflows|triggers)/([\w/-]{16,})"),
        ("/api/webhooks/", r"/api/webhooks/([0-9]{6,}/[\w-]{16,})"),
        (":aa", r"\b([0-9]{8,10}:AA[\w-]{30,})"),
        ("q~", r"(?<![\w~.-])([\w~.-]{3}[0-9]Q~[\w~.-]{30,})"),
        (".atlasv1.", r"\b([a-z0-9]{14}\.atlasv1\.[\w-]{40,})"),
        ("sig=", r"[?&]sig=([A-Za-z0-9%+/=_-]{20,})"),
        ("x-amz-signature=", r"x-amz-signature=([a-f0-9]{32,})"),
        ("akia", r"\bAKIA[A-Z0-9]{16}[\"']?[\s,:|]{1,8}[\"']?([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+])"),
        ("asia", r"\bASIA[A-Z0-9]{16}[\"']?[\s,:|]{1,8}[\"']?([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+])"),
    )
)
_BEARER = re.compile(r"\b(bearer|basic)\s{1,4}([A-Za-z0-9._~+/=-]{8,})", re.IGNORECASE)
_DOCKER = re.compile(r"\"auth\\{0,3}\"\s{0,8}:\s{0,8}\\{0,3}\"([A-Za-z0-9+/=_-]{8,})")
_SAID = re.compile(
    r"\b(?:pass(?:word|phrase|code)|token|secret|(?:api|access|secret)[ -]key)\b\s(?:is|was|=|:)[:=]?\s{1,4}[\"'`]?([^\s\"'`,]{6,})",  # noqa: E501 - a pattern is easier to read in one line
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"://([^\s/@:\"'`<>]{0,256}):([^\s\"'`<>]{1,512})@(?!sha\d+:)")
_USER_ONLY = re.compile(r"://([^\s/@:\"'`<>]{16,512})@")
_PORT = re.compile(r"[0-9]{1,5}(?:[/?#]|\Z)")
_REFERENCE = re.compile(r"\$|<|\{\{|\*{3}|\[redacted")


def find_shapes(text: str, lower: str) -> Iterator[Span]:
    """Yield the secrets that their surroundings tell; `lower` is the text in small letters."""
    if "private key" in lower:
        yield from _private_keys(text)
    if "://" in text:
        yield from _in_addresses(text)
    for hint, pattern in _PATTERNS:
        if hint in lower:
            yield from (found.span(1) for found in pattern.finditer(text) if not _REFERENCE.match(found[1]))
    if "bearer" in lower or "basic" in lower:
        yield from _authorizations(text)
    if '"auth' in lower:
        yield from (found.span(1) for found in _DOCKER.finditer(text) if _is_pair(found[1]))
    if " is" in lower or " was" in lower:
        yield from _said(text)


def _private_keys(text: str) -> Iterator[Span]:
    """Yield private keys, also those whose beginning or end was cut off."""
    last = 0
    for begin in _KEY_BEGIN.finditer(text):
        if begin.start() < last:
            continue
        end = _KEY_END.search(text, begin.end(), begin.end() + _KEY_LONGEST)
        lines = _KEY_LINES.match(text, begin.end())
        last = end.end() if end else lines.end() if lines else begin.end()
        yield begin.start(), last
    for end in _KEY_END.finditer(text):
        start = max(last, end.start() - _KEY_LONGEST) if end.start() >= last else end.start()
        before = _KEY_LINES_BEFORE.search(text[start : end.start()]) if start < end.start() else None
        if before is not None:
            yield start + before.start(), end.end()


def _in_addresses(text: str) -> Iterator[Span]:
    for found in _ADDRESS.finditer(text):
        if not _PORT.match(found[2]) and not _REFERENCE.match(found[2]):
            yield found.span(2)
    for found in _USER_ONLY.finditer(text):
        if looks_random(found[1]) and not _REFERENCE.match(found[1]):
            yield found.span(1)


def _authorizations(text: str) -> Iterator[Span]:
    for found in _BEARER.finditer(text):
        basic = found[1].lower() == "basic"
        if _is_pair(found[2]) if basic else any(map(str.isdigit, found[2])):
            yield found.span(2)


def _is_pair(encoded: str) -> bool:
    """Tell whether this is `user:password` in base64."""
    try:
        decoded = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_" if "-" in encoded else None)
    except (binascii.Error, ValueError):
        return False
    return b":" in decoded and decoded.isascii()


def _said(text: str) -> Iterator[Span]:
    for found in _SAID.finditer(text):
        value = found[1].rstrip(".!?;:)")
        if looks_random(value) and not value.isdigit() and not _REFERENCE.match(value):
            yield found.start(1), found.start(1) + len(value)
