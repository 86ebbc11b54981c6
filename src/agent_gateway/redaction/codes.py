"""Text as the numbers of its characters, and as tools show the bytes of a file."""

from __future__ import annotations

import re
from collections.abc import Iterator

from agent_gateway.redaction.encodings import hidden_hex
from agent_gateway.redaction.tokens import Span
from agent_gateway.redaction.views import Finder

_DECIMAL = re.compile(r"(?<![0-9A-Za-z.])[0-9]{1,3}(?:[\s,;:|-]{1,3}[0-9]{1,3}){7,}(?![0-9A-Za-z])")
_BINARY = re.compile(r"(?<![0-9A-Za-z])[01]{8}(?:[\s,]{0,2}[01]{8}){7,}(?![0-9A-Za-z])")
_NUMBER = re.compile(r"[0-9]{1,3}")
_OCTET = re.compile(r"[01]{8}")
#: A line of `xxd` or `hexdump -C`: where it is in the file, up to 16 bytes, and the same as text.
_DUMPED = re.compile(
    r"^[ \t]{0,8}[0-9a-fA-F]{4,16}:?[ \t]{1,4}((?:[0-9a-fA-F]{2}[ \t]{0,2}){1,16})[^\n]{0,80}$", re.MULTILINE
)
_NO_DIGIT = re.compile(r"[ \t]")
#: Nothing is put together over this.
_GAP = "\r"
_PRINTABLE = frozenset((9, 10, 13, *range(32, 127)))


def find_codes(text: str, find: Finder) -> Iterator[Span]:
    """Yield the numbers that stand for characters in which `find` finds secrets."""
    for found in _DECIMAL.finditer(text):
        yield from _in_numbers(found, _NUMBER, 10, find)
    for found in _BINARY.finditer(text):
        yield from _in_numbers(found, _OCTET, 2, find)
    for dump in _dumps(text):
        yield from _in_dump(dump, find)


def _in_numbers(row: re.Match[str], number: re.Pattern[str], radix: int, find: Finder) -> Iterator[Span]:
    codes = [int(each, radix) for each in number.findall(row[0])]
    secrets = find("".join(chr(code) if code in _PRINTABLE else _GAP for code in codes))
    if secrets:
        spans = [(each.start() + row.start(), each.end() + row.start()) for each in number.finditer(row[0])]
        yield from ((spans[start][0], spans[end - 1][1]) for start, end in secrets)


def _dumps(text: str) -> Iterator[list[re.Match[str]]]:
    """Yield the lines of every dump, those in a row together."""
    lines: list[re.Match[str]] = []
    for found in _DUMPED.finditer(text):
        if lines and found.start() != lines[-1].end() + 1:
            yield lines
            lines = []
        lines.append(found)
    if lines:
        yield lines


def _in_dump(lines: list[re.Match[str]], find: Finder) -> Iterator[Span]:
    """Yield the rest of each line that has a part of a secret, as bytes and as text."""
    digits = [_NO_DIGIT.sub("", line[1]) for line in lines]
    secrets = sorted(hidden_hex("".join(digits), find))
    before = reached = number = 0
    for line, part in zip(lines, digits, strict=True):
        after = before + len(part)
        while number < len(secrets) and secrets[number][0] < after:
            reached = max(reached, secrets[number][1])
            number += 1
        if reached > before:
            yield line.start(1), line.end()
        before = after
