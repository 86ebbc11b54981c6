"""What a reader makes of a file: a title and blocks of text in reading order."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

BlockKind = Literal["heading", "paragraph", "item", "row", "code"]


@dataclass(frozen=True, slots=True)
class Block:
    """One block in the words of its source.

    A paragraph is one line; an item starts with its list marker (`- ` or `1. `, indented by its depth); a row is a
    Markdown table row, the header row has the rule under it; code is fenced. A heading is its bare text and has a
    `level` from 1 to 6.
    """

    kind: BlockKind
    text: str
    level: int = 0


@dataclass(frozen=True, slots=True)
class Document:
    """A file that was read. `source` is its posix path relative to the ingested folder."""

    source: str
    title: str
    blocks: tuple[Block, ...]


class UnreadableDocument(Exception):
    """A file that cannot be ingested. `reason` is shown to the user.

    `gone` says that the file no longer holds any text, so what was ingested from it earlier is removed as well.
    """

    def __init__(self, reason: str, *, gone: bool = True) -> None:
        super().__init__(reason)
        self.reason = reason
        self.gone = gone


def title_from_name(source: str) -> str:
    """A readable title for a file that names none: `docs/flux-operations.md` -> `Flux operations`."""
    words = re.sub(r"[-_\s]+", " ", PurePosixPath(source).stem).strip()
    return words[:1].upper() + words[1:] if words else source


def fence(code: str, language: str = "") -> str:
    """Code between fences that are longer than any run of backticks inside."""
    longest = max((len(run) for run in re.findall(r"`{3,}", code)), default=2)
    mark = "`" * (longest + 1)
    return f"{mark}{language}\n{code}\n{mark}"


def join_lines(text: str) -> str:
    """Soft-wrapped lines as one line, every run of whitespace as one space."""
    return " ".join(text.split())


def table_row(cells: list[str]) -> str:
    """Cells as a Markdown table row."""
    return "| " + " | ".join(join_lines(cell).replace("|", "\\|") for cell in cells) + " |"


def with_rule(row: str, cells: int) -> str:
    """A table's header row with the line under it."""
    return f"{row}\n|" + "---|" * cells
