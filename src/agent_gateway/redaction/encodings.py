"""Base64 and hexadecimal text, and what it says."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterable, Iterator

from agent_gateway.redaction.tokens import Span
from agent_gateway.redaction.views import Finder

_RUN = re.compile(r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{16,}={0,2}")
_PIECE = r"[A-Za-z0-9+/_-]{4,}={0,2}"
_BREAK = r"""(?:[ \t]*(?:\r?\n|\\n)[ \t]*|["'`]\s{0,80}[+.,\\]?\s{0,80}["'`])"""
_WRAPPED = re.compile(rf"(?<![A-Za-z0-9+/_-]){_PIECE}(?:{_BREAK}[A-Za-z0-9+/_-]{{2,}}={{0,2}})+")
_PIECES = re.compile(r"[A-Za-z0-9+/_-]{2,}={0,2}")
_PAIRS = re.compile(r"(?<![0-9A-Za-z])(?:0x)?[0-9a-fA-F]{2}(?:[\s:,-]{1,2}(?:0x)?[0-9a-fA-F]{2}){7,}(?![0-9A-Za-z])")
_HEX = re.compile(r"[0-9a-fA-F]{16,}")
#: Text within decoded bytes.
_TEXT = re.compile(rb"[\t\n\r -~]{6,}")


def find_encoded(text: str, find: Finder) -> Iterator[Span]:
    """Yield the runs of a text that decode to something in which `find` finds secrets."""
    for found in _RUN.finditer(text):
        if next(iter(_hidden(found[0], find)), None):
            yield found.span()
    if "\n" in text or "\\n" in text or '"' in text or "'" in text:
        for found in _WRAPPED.finditer(text):
            yield from _hidden_pieces(found, find)
    for found in _PAIRS.finditer(text):
        digits = re.sub(r"0x|[^0-9a-fA-F]", "", found[0])
        if next(iter(_hidden_hex(digits, find)), None):
            yield found.span()


def _hidden_pieces(wrapped: re.Match[str], find: Finder) -> Iterator[Span]:
    """The lines of wrapped text that hold a part of a secret."""
    pieces = [(found.start() + wrapped.start(), found[0]) for found in _PIECES.finditer(wrapped[0])]
    secrets = list(_hidden("".join(piece for _, piece in pieces), find))
    before = 0
    for start, piece in pieces if secrets else ():
        after = before + len(piece)
        if any(begin < after and before < end for begin, end in secrets):
            yield start, start + len(piece)
        before = after


def _hidden(run: str, find: Finder) -> Iterator[Span]:
    """The parts of encoded text that hold secrets."""
    if _HEX.fullmatch(run):
        yield from _hidden_hex(run, find)
    if run.islower() or run.isupper() or run.isdigit():
        return  # text in base64 has letters of both kinds
    standard = run.replace("-", "+").replace("_", "/").replace("=", "A")
    for shift in range(4):
        length = (len(standard) - shift) // 4 * 4
        rest = standard[shift + length :]
        padded = standard[shift : shift + length] + (rest + "=" * (4 - len(rest)) if len(rest) > 1 else "")
        for start, end in _secrets(binascii.a2b_base64(padded), find):
            yield shift + start * 4 // 3, shift + (end * 4 + 2) // 3


def _hidden_hex(digits: str, find: Finder) -> Iterator[Span]:
    for shift in range(2):
        even = digits[shift : shift + (len(digits) - shift) // 2 * 2]
        for start, end in _secrets(bytes.fromhex(even), find):
            yield shift + 2 * start, shift + 2 * end


def _secrets(decoded: bytes, find: Finder) -> Iterable[Span]:
    """Where decoded bytes hold secrets; text of two bytes a character is read, too."""
    for found in _TEXT.finditer(decoded):
        yield from ((found.start() + start, found.start() + end) for start, end in find(found[0].decode("ascii")))
    if decoded.count(0) * 3 > len(decoded):
        narrow = decoded.replace(b"\0", b"").decode("latin-1")
        if find(narrow):
            yield 0, len(decoded)
