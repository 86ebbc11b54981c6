"""What a tool returns, as text within its budget; the whole of it is kept on disk, in pages, until its run ends."""

from __future__ import annotations

import asyncio
import contextlib
import re
import shutil
from pathlib import Path
from typing import Any

import msgspec
import structlog

from agent_gateway.errors import NotFound

#: Terminal colours, other control characters but tab and newline, and marks that nobody sees but a model reads.
_INVISIBLE = re.compile(
    r"\x1b\[[0-9;?]*[ -/]*[@-~]|\r(?=\n)|[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff"
    r"\U000e0000-\U000e007f]"
)
#: More than this is cut for good.
MOST_KEPT = 4_000_000
_NOT_KEPT = "\n[cut here: the rest could not be kept]"
_NAME = re.compile(r"(?:result-)?([0-9]{1,6})")

log = structlog.get_logger(__name__)


class Excerpt(msgspec.Struct, frozen=True):
    """A result's text within the budget. `more` names the whole, kept in `pages`; empty when nothing was cut."""

    text: str
    more: str = ""
    pages: int = 0


class OutputStore:
    """Keeps long output below a folder, `<run>/<n>.txt`, readable by this process' user alone.

    Without a folder nothing is kept, and a cut result says so. What an earlier process left there is removed.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        #: By run: the page size of each result, in characters, and its pages.
        self._kept: dict[str, list[tuple[int, int]]] = {}
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)

    def holds(self, run_id: str) -> bool:
        """Whether output of this run was cut and kept."""
        return bool(self._kept.get(run_id))

    async def shorten(self, run_id: str, output: Any, limit: int) -> Excerpt:
        """Output of any kind as text of at most `limit` characters."""
        text = clean(render(output))
        if len(text) <= limit:
            return Excerpt(text)
        kept = text[:MOST_KEPT]
        sizes = self._kept.get(run_id, [])
        number = len(sizes) + 1
        if self._folder is None or not await asyncio.to_thread(_write, self._folder / run_id, number, kept):
            return Excerpt(text[: max(0, limit - len(_NOT_KEPT))] + _NOT_KEPT[:limit])
        pages = -(-len(kept) // limit)
        self._kept.setdefault(run_id, sizes).append((limit, pages))
        return Excerpt(text[:limit], f"result-{number}", pages)

    async def read(self, run_id: str, result: str, page: int) -> str:
        """One page of a kept result, from 1; `NotFound` says what there is."""
        sizes = self._kept.get(run_id, [])
        found = _NAME.fullmatch(result.strip())
        number = int(found[1]) if found else 0
        if self._folder is None or not 1 <= number <= len(sizes):
            names = ", ".join(f"result-{each}" for each in range(1, len(sizes) + 1))
            raise NotFound(f"there is no kept result '{result[:40]}'", hint=f"there are: {names}" if names else "")
        limit, pages = sizes[number - 1]
        if not 1 <= page <= pages:
            raise NotFound(f"result-{number} has the pages 1 to {pages}")
        text = await asyncio.to_thread(_read, self._folder / run_id / f"{number}.txt")
        return f"(page {page} of {pages})\n{text[(page - 1) * limit : page * limit]}"

    async def forget(self, run_id: str) -> None:
        """Remove what was kept for a run."""
        if self._kept.pop(run_id, None) is not None and self._folder is not None:
            await asyncio.to_thread(shutil.rmtree, self._folder / run_id, ignore_errors=True)


def render(output: Any) -> str:
    """Text as it is, anything else as JSON."""
    return output if isinstance(output, str) else msgspec.json.encode(output, enc_hook=str).decode()


def clean(text: str) -> str:
    """Text without what is not to be seen, and without halves of characters that cannot be stored."""
    return _INVISIBLE.sub("", text).encode(errors="replace").decode()


def _write(folder: Path, number: int, text: str) -> bool:
    """Keep a text; False when the disk does not take it."""
    path = folder / f"{number}.txt"
    try:
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        log.warning("tool_output_not_kept", error=str(error))
        with contextlib.suppress(OSError):
            path.unlink()
        return False
    return True


def _read(path: Path) -> str:
    return path.read_bytes().decode()
