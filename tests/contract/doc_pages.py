"""The documentation as data: its pages, their fences, links and headings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
#: Pages whose commands, links and examples are held to be true. Example documents are content, not documentation.
PATTERNS = ("*.md", "docs/**/*.md", "plugins/*/README.md", "benchmarks/*.md")

_FENCE = re.compile(r"^(?P<marks>`{3,})(?P<language>[\w-]*)\s*$")
_NOT_RUN = re.compile(r"^<!-- not run: (?P<reason>\S.{9,}) -->$")
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\((?P<target>[^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} +(?P<text>.+?)\s*$")
RUNNABLE = frozenset({"sh", "console"})


@dataclass(frozen=True)
class Fence:
    """A fenced block; `line` is that of its first mark. `not_run`: why its commands are not run, empty if they are."""

    page: str
    line: int
    language: str
    text: str
    not_run: str = ""

    @property
    def place(self) -> str:
        """Where to look for it."""
        return f"{self.page}:{self.line}"

    @property
    def commands(self) -> str:
        """What is typed: all of an `sh` block, of a `console` block what follows a prompt."""
        if self.language == "sh":
            return self.text
        typed = [line[2:] for line in self.text.splitlines() if line.startswith(("$ ", "> "))]
        return "\n".join(typed) + "\n"


def pages() -> list[str]:
    """The names of all pages, relative to the repository."""
    return sorted({path.relative_to(ROOT).as_posix() for pattern in PATTERNS for path in ROOT.glob(pattern)})


def read(page: str) -> str:
    """Return the text of a page."""
    return (ROOT / page).read_text(encoding="utf-8")


def fences(page: str, text: str) -> Iterator[Fence]:
    """Yield the fenced blocks of a page in order; one that is never closed is an error."""
    lines = text.splitlines()
    number = 0
    reason = ""
    while number < len(lines):
        opening = _FENCE.match(lines[number])
        if opening is None:
            if marked := _NOT_RUN.match(lines[number]):
                reason = marked["reason"]
            elif lines[number].strip():
                reason = ""
            number += 1
            continue
        start, number = number, number + 1
        while lines[number] != opening["marks"]:
            number += 1
        body = "".join(f"{line}\n" for line in lines[start + 1 : number])
        yield Fence(page, start + 1, opening["language"], body, reason)
        number, reason = number + 1, ""


def prose(text: str) -> str:
    """Return a page without its fenced blocks and inline code."""
    kept = re.sub(r"^(`{3,}).*?^\1$", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"`[^`\n]*`", "", kept)


def links(text: str) -> Iterator[str]:
    """Yield the target of each link."""
    yield from (match["target"] for match in _LINK.finditer(prose(text)))


def anchors(text: str) -> set[str]:
    """Return the names under which the headings of a page can be linked to."""
    outside = re.sub(r"^(`{3,}).*?^\1$", "", text, flags=re.MULTILINE | re.DOTALL)
    headings = [match["text"] for line in outside.splitlines() if (match := _HEADING.match(line))]
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
