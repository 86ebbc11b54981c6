"""Base64, base32 and hexadecimal text, in one piece or in several, and what it says."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterable, Iterator

from agent_gateway.redaction.tokens import Span
from agent_gateway.redaction.views import Finder

_RUN = re.compile(r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{16,}={0,2}")
#: From one piece to the next: a line, the end of a string and the beginning of another, a few spaces.
_BREAK = r"""(?:[ \t]{0,80}\r?\n[ \t]{0,80}|["'`]\s{0,80}(?:[+.,\\]\s{0,80})?["'`]|[ \t]{1,3})"""
_WRAPPED = re.compile(rf"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{{4,}}={{0,2}}(?:{_BREAK}[A-Za-z0-9+/_-]{{2,}}={{0,2}})+")
_PIECES = re.compile(r"[A-Za-z0-9+/_-]{2,}={0,2}")
#: What words seldom have, and text in base64 does.
_ODD = re.compile(r"[a-z0-9+/][A-Z]|[0-9][A-Za-z]")
_HEX = re.compile(r"[0-9a-fA-F]{16,}")
_PAIRS = re.compile(
    rf"(?<![0-9A-Za-z])(?:0x)?[0-9a-fA-F]{{2,}}(?:(?:[\s:,-]{{1,2}}|{_BREAK})(?:0x)?[0-9a-fA-F]{{2,}})+(?![0-9A-Za-z])"
)
_NO_DIGIT = re.compile(r"0x|[^0-9a-fA-F]")
_SHORTEST = 16
_BASE32 = re.compile(rf"(?<![A-Za-z0-9])[A-Z2-7]{{4,}}={{0,6}}(?:{_BREAK}[A-Z2-7]{{2,}}={{0,6}})*(?![A-Za-z0-9])")
_NO_BASE32 = re.compile(r"[^A-Z2-7]")
_TO_DIGITS = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", "0123456789ABCDEFGHIJKLMNOPQRSTUV")
#: Text within decoded bytes; between two texts stands what nothing is put together over.
_TEXT = re.compile(rb"[\t\n\r -~]{6,}")
_READABLE = frozenset((*b"\t\n\r", *range(32, 127)))
_UNREADABLE = bytes(each if each in _READABLE else ord("\r") for each in range(256))


def find_encoded(text: str, find: Finder) -> Iterator[Span]:
    """Yield the runs of a text that decode to something in which `find` finds secrets."""
    for found in _RUN.finditer(text):
        if next(iter(_hidden(found[0], find)), None):
            yield found.span()
    for found in _WRAPPED.finditer(text):
        if _ODD.search(found[0]):
            yield from _hidden_pieces(found, find)
    for found in _PAIRS.finditer(text):
        digits = _NO_DIGIT.sub("", found[0])
        if len(digits) >= _SHORTEST and next(iter(hidden_hex(digits, find)), None):
            yield found.span()
    for found in _BASE32.finditer(text):
        digits = _NO_BASE32.sub("", found[0])
        if len(digits) >= _SHORTEST and _hides_base32(digits, find):
            yield found.span()


def _hidden_pieces(wrapped: re.Match[str], find: Finder) -> Iterator[Span]:
    """The pieces of broken text that hold a part of a secret."""
    pieces = _PIECES.findall(wrapped[0])
    secrets = _merge(_hidden("".join(pieces), find))
    if not secrets:
        return
    before = number = 0
    for piece in _PIECES.finditer(wrapped[0]):
        after = before + len(piece[0])
        while number < len(secrets) and secrets[number][1] <= before:
            number += 1
        if number < len(secrets) and secrets[number][0] < after:
            yield wrapped.start() + piece.start(), wrapped.start() + piece.end()
        before = after


def _merge(spans: Iterable[Span]) -> list[Span]:
    """The same stretches, in order and apart."""
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _hidden(run: str, find: Finder) -> Iterator[Span]:
    """The parts of encoded text that hold secrets."""
    if _HEX.fullmatch(run):
        yield from hidden_hex(run, find)
    if run.islower() or run.isupper() or run.isdigit():
        return  # text in base64 has letters of both kinds
    standard = run.replace("-", "+").replace("_", "/").replace("=", "A")
    for shift in range(4):
        length = (len(standard) - shift) // 4 * 4
        rest = standard[shift + length :]
        padded = standard[shift : shift + length] + (rest + "=" * (4 - len(rest)) if len(rest) > 1 else "")
        for start, end in _secrets(binascii.a2b_base64(padded), find):
            yield shift + start * 4 // 3, shift + (end * 4 + 2) // 3


def hidden_hex(digits: str, find: Finder) -> Iterator[Span]:
    """The parts of hexadecimal text that hold secrets."""
    for shift in range(2):
        even = digits[shift : shift + (len(digits) - shift) // 2 * 2]
        for start, end in _secrets(bytes.fromhex(even), find):
            yield shift + 2 * start, shift + 2 * end


def _hides_base32(run: str, find: Finder) -> bool:
    digits = run.translate(_TO_DIGITS)
    for shift in range(8):
        used = (len(digits) - shift) * 5 // 8 * 8
        # More bits than whole bytes are dropped.
        number = int(digits[shift:], 32) >> ((len(digits) - shift) * 5 - used)
        if next(iter(_secrets(number.to_bytes(used // 8, "big"), find)), None):
            return True
    return False


def _secrets(decoded: bytes, find: Finder) -> Iterable[Span]:
    """Where decoded bytes hold secrets; text of two bytes a character is read, too."""
    if _TEXT.search(decoded):
        yield from find(decoded.translate(_UNREADABLE).decode("ascii"))
    if decoded.count(0) * 3 > len(decoded):
        narrow = decoded.replace(b"\0", b"").decode("latin-1")
        if find(narrow):
            yield 0, len(decoded)
