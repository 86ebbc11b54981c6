"""The labelled questions in `benchmarks/data`, and whether a text contains the labelled answer."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TypeVar

import msgspec

DATA = Path(__file__).parent / "data"
T = TypeVar("T")


class Question(msgspec.Struct, frozen=True):
    """A question, the page that answers it (None: no page does), and the sentence of the page that does.

    For documents of others the sentence is located by `at`: offset and length in the page's text with each run of
    white space made one space. `kind` of an unanswerable one: `near` (in the documents' own vocabulary) or `elsewhere`.
    """

    question: str
    source: str | None = None
    answer: str | None = None
    at: tuple[int, int] | None = None
    kind: str = ""
    collection: str = ""

    def sentence(self, folder: Path) -> str:
        """The labelled answer sentence, white space collapsed; empty when there is none."""
        if self.answer is not None:
            return collapse(self.answer)
        if self.at is None or self.source is None:
            return ""
        offset, length = self.at
        return collapse((folder / self.source).read_text(encoding="utf-8"))[offset : offset + length]


class FollowUp(msgspec.Struct, frozen=True):
    """Two questions in a row, the page that answers the second, and whether the second needs the first."""

    first: str
    second: str
    source: str
    related: bool


def load(name: str, kind: type[T]) -> list[T]:
    """The lines of a data file."""
    lines = (DATA / name).read_bytes().splitlines()
    return [msgspec.json.decode(line, type=kind) for line in lines if line.strip()]


def collapse(text: str) -> str:
    """The text with each run of white space made one space."""
    return re.sub(r"\s+", " ", text).strip()


def contains(text: str, sentence: str) -> bool:
    """Whether a text holds the labelled sentence, up to white space, Markdown emphasis and the citations between."""
    return bool(sentence) and _plain(sentence) in _plain(re.sub(r"\s\[\d+\](?=\s|$)", "", text))


def _plain(text: str) -> str:
    return collapse(re.sub(r"\]\([^)]*\)|[*_`\[\]|>#]", " ", text)).lower()
