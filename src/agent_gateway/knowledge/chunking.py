"""Cuts a document into chunks along its headings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

from agent_gateway.knowledge.blocks import Block, Document
from agent_gateway.knowledge.units import Unit, cut_units

#: Raised when the same document would be cut differently: what was ingested before is then cut again.
CHUNKING_VERSION = 1

#: A longer one is a paragraph that was set in the wrong style.
_LONGEST_HEADING = 200
_LINK_TARGET = re.compile(r"(?<=\])\([^)\s]*\)|<?https?://[^\s)>]+>?")


@dataclass(frozen=True, slots=True)
class ChunkSizes:
    """Characters of a chunk: where it is full, what it never exceeds, and a section too small to stand alone.

    The encoder reads 256 tokens, about 1,100 characters.
    """

    target: int = 900
    maximum: int = 1400
    tiny: int = 200


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a document. `headings` lead to it from the top; headings further down stand in `text` as Markdown."""

    index: int
    headings: tuple[str, ...]
    text: str


def text_to_embed(title: str, headings: Sequence[str], text: str) -> str:
    """A chunk's text under its headings; it ends with `text`, character for character but for blanked link targets."""
    return " > ".join((title, *headings)) + "\n" + _LINK_TARGET.sub(_blank, text)


def _blank(match: re.Match[str]) -> str:
    # Spaces mean nothing to the tokenizer, and the offsets of sentences stay right.
    return " " * len(match.group())


@dataclass(frozen=True, slots=True)
class _Heading:
    level: int
    text: str
    number: int


@dataclass(frozen=True, slots=True)
class _Piece:
    """Text of one section, at most a chunk long."""

    path: tuple[_Heading, ...]
    text: str


def chunk_document(document: Document, sizes: ChunkSizes | None = None) -> list[Chunk]:
    """The chunks of a document in reading order; every block but headings is in exactly one (or cut into several)."""
    sizes = sizes or ChunkSizes()
    single_h1 = sum(block.kind == "heading" and block.level == 1 for block in document.blocks) == 1
    pieces = [piece for path, blocks in _sections(document) for piece in _fill(path, blocks, sizes)]
    groups: list[list[_Piece]] = []
    for piece in pieces:
        if groups and _may_join(groups[-1], piece, sizes, single_h1=single_h1):
            groups[-1].append(piece)
        else:
            groups.append([piece])
    return [Chunk(index, *_render(group, document.title)) for index, group in enumerate(groups)]


def _sections(document: Document) -> Iterator[tuple[tuple[_Heading, ...], list[Block]]]:
    path: tuple[_Heading, ...] = ()
    blocks: list[Block] = []
    for number, block in enumerate(document.blocks):
        if block.kind != "heading" or len(block.text) > _LONGEST_HEADING:
            blocks.append(block)
            continue
        if blocks:
            yield path, blocks
            blocks = []
        above = tuple(heading for heading in path if heading.level < block.level)
        path = (*above, _Heading(block.level, block.text, number))
    if blocks:
        yield path, blocks


def _fill(path: tuple[_Heading, ...], blocks: Sequence[Block], sizes: ChunkSizes) -> Iterator[_Piece]:
    """Pieces of about equal length, cut between units and preferably not after a colon or a table's header row."""
    units = list(cut_units(blocks, sizes.target, sizes.maximum))
    total = sum(unit.length for unit in units)
    aim = total / -(-total * 5 // (sizes.target * 6)) if total else 0
    current: list[Unit] = []
    length = 0
    for unit in units:
        full = length + unit.length / 2 > aim and not current[-1].text.endswith((":", "---|")) if current else False
        if current and (full or length + unit.length > sizes.maximum):
            yield _Piece(path, _join(current))
            current, length = [], 0
        # A table that goes on in the next chunk is explained by its header row there as well.
        current.append(unit if current else replace(unit, text=unit.header + unit.text))
        length += current[-1].length
    if current:
        yield _Piece(path, _join(current))


def _join(units: Sequence[Unit]) -> str:
    return units[0].text + "".join(unit.glue + unit.text for unit in units[1:])


def _may_join(group: Sequence[_Piece], piece: _Piece, sizes: ChunkSizes, *, single_h1: bool) -> bool:
    if group[-1].path == piece.path:
        return False
    if len(_render([*group, piece], "")[1]) > sizes.target:
        return False
    smaller = min(sum(len(member.text) for member in group), len(piece.text))
    return smaller < sizes.tiny or _top(group[-1], single_h1) == _top(piece, single_h1)


def _top(piece: _Piece, single_h1: bool) -> tuple[_Heading, ...]:
    """The top-level section a piece belongs to; a page's only level-1 heading is its title, not a section."""
    path = piece.path[1:] if single_h1 and piece.path and piece.path[0].level == 1 else piece.path
    return path[:1]


def _render(group: Sequence[_Piece], title: str) -> tuple[tuple[str, ...], str]:
    """The headings all pieces share, and the text with the others as heading lines."""
    columns = takewhile(lambda column: len(set(column)) == 1, zip(*(piece.path for piece in group), strict=False))
    shared = tuple(column[0] for column in columns)
    shown = shared
    parts: list[str] = []
    for piece in group:
        parts += [f"{'#' * heading.level} {heading.text}" for heading in piece.path if heading not in shown]
        parts.append(piece.text)
        shown = piece.path
    names = tuple(heading.text for heading in shared)
    return names[1:] if names[:1] == (title,) else names, "\n\n".join(parts)
