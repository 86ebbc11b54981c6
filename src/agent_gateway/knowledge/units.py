"""Cuts blocks into the pieces that a chunk is filled with; none is longer than a chunk may be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from agent_gateway.knowledge.blocks import Block
from agent_gateway.knowledge.sentences import split_sentences

_LONGEST_REPEATED_HEADER = 300


@dataclass(frozen=True, slots=True)
class Unit:
    """A sentence, list item, table row or code block.

    `glue` joins it to the unit before; `header` is what a chunk that begins with it must repeat (a table's header row).
    """

    text: str
    glue: str = "\n\n"
    header: str = ""

    @property
    def length(self) -> int:
        """Characters it adds to a chunk."""
        return len(self.glue) + len(self.text)


def cut_units(blocks: Sequence[Block], target: int, maximum: int) -> Iterator[Unit]:
    """The units of a section, in order; `target` and `maximum` are characters."""
    header = ""
    previous = ""
    for block in blocks:
        follows = previous == block.kind and block.kind in {"row", "item"}
        glue = "\n" if follows else "\n\n"
        previous = block.kind
        if block.kind == "row":
            fits = follows and len(header) <= min(_LONGEST_REPEATED_HEADER, maximum - len(block.text) - len(glue))
            yield from _cut_long(block.text, target, maximum, glue, header if fits else "")
            if not follows:
                header = f"{block.text}\n" if "\n" in block.text else ""
        elif block.kind == "code":
            yield from _cut_code(block.text, target, maximum)
        elif block.kind == "item" and len(block.text) <= target:
            yield Unit(block.text, glue)
        else:
            yield from _cut_prose(block.text, target, maximum, glue)


def _cut_prose(text: str, target: int, maximum: int, glue: str) -> Iterator[Unit]:
    starts = [0, *(start for start, _ in split_sentences(text)[1:]), len(text)]
    for start, end in pairwise(starts):
        piece = text[start:end].rstrip()
        yield from _cut_long(piece, target, maximum, glue)
        # The gap between two sentences is one space, or the line break of a hard-broken paragraph.
        glue = "\n" if "\n" in text[start + len(piece) : end] else " "


def _cut_long(text: str, target: int, maximum: int, glue: str, header: str = "") -> Iterator[Unit]:
    """A sentence; one that is longer than a whole chunk is cut between words."""
    while len(text) > maximum:
        cut = text.rfind(" ", target // 2, target)
        cut = cut if cut > 0 else target
        yield Unit(text[:cut].rstrip(), glue)
        text, glue = text[cut:].lstrip(), "\n"
    if text:
        yield Unit(text, glue, header)


def _cut_code(text: str, target: int, maximum: int) -> Iterator[Unit]:
    """A code block; a long one is cut between lines, where the indentation is smallest."""
    if len(text) <= maximum:
        yield Unit(text)
        return
    opening, *lines, closing = text.split("\n")
    room = target - len(opening) - len(closing) - 2
    pieces = [piece for line in lines for piece in _wrap(line, room)]
    while pieces:
        count = _count_fitting(pieces, room)
        if count < len(pieces):
            count = _best_cut(pieces, count)
        body, pieces = pieces[:count], pieces[count:]
        code = "\n".join(body).strip("\n")
        if code.strip():
            yield Unit(f"{opening}\n{code}\n{closing}")


def _wrap(line: str, room: int) -> list[str]:
    return [line[start : start + room] for start in range(0, len(line), room)] or [""]


def _count_fitting(lines: Sequence[str], room: int) -> int:
    length = 0
    for count, line in enumerate(lines):
        length += len(line) + 1
        if length > room and count:
            return count
    return len(lines)


def _best_cut(lines: Sequence[str], count: int) -> int:
    """The line to begin the next piece with, in the second half of the lines that fit: blank or least indented."""

    def cost(number: int) -> tuple[int, int]:
        line = lines[number]
        return (len(line) - len(line.lstrip()) if line.strip() else -1, -number)

    return min(range(max(count // 2, 1), count + 1), key=cost)
