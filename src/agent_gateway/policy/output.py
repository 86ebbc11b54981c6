"""What a tool returns, as text within its budget; the whole of it is kept on disk, in pages, until its run ends."""

from __future__ import annotations

import asyncio
import contextlib
import re
import shutil
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

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
#: Where it is cut for good half a secret may be left, which nothing finds: so much before the end is left out, too.
_NEAR_END = 8_000
#: Longer text is searched for secrets beside the event loop.
_AT_ONCE = 20_000
_NOT_KEPT = "\n[cut here: the rest could not be kept]"
_NAME = re.compile(r"(?:result-)?([0-9]{1,6})")

log = structlog.get_logger(__name__)
T = TypeVar("T")


class Excerpt(msgspec.Struct, frozen=True):
    """A result's text within the budget. `more` names the whole, kept in `pages`; empty when nothing was cut."""

    text: str
    more: str = ""
    pages: int = 0


@dataclass
class _Shelf:
    """What is kept for a run. `sizes`: by a result's number, its page size in characters, and its pages."""

    last: int = 0
    sizes: dict[int, tuple[int, int]] = field(default_factory=dict)
    #: The writes, also those that nobody waits for any more.
    writes: list[asyncio.Task[bool]] = field(default_factory=list)


class OutputStore:
    """Keeps long output below a folder, `<run>/<n>.txt`, readable by this process' user alone.

    Where nothing can be written nothing is kept, and a cut result says so. What an earlier process left is removed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._shelves: dict[str, _Shelf] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        shutil.rmtree(folder, ignore_errors=True)

    def holds(self, run_id: str) -> bool:
        """Whether output of this run was cut and kept."""
        shelf = self._shelves.get(run_id)
        return shelf is not None and bool(shelf.sizes)

    async def shorten(self, run_id: str, output: Any, limit: int, hide: Callable[[str], str] = str) -> Excerpt:
        """Output of any kind as text of at most `limit` characters; `hide` takes out what must not be seen.

        What is hidden is hidden in the whole text, before it is cut: half a secret is one, too.
        """
        whole = clean(render(output))
        text = hide(whole) if len(whole) <= _AT_ONCE else await asyncio.to_thread(hide, whole[:MOST_KEPT])
        if len(whole) > MOST_KEPT:
            text = text[:-_NEAR_END]
        if len(text) <= limit:
            return Excerpt(text)
        # Known before anything is written: a thread goes on when its turn is cancelled, and `forget` must find it.
        shelf = self._shelves.setdefault(run_id, _Shelf())
        shelf.last = number = shelf.last + 1
        if not await self._write(shelf, self._folder / run_id, number, text):
            return Excerpt(text[: max(0, limit - len(_NOT_KEPT))] + _NOT_KEPT[:limit])
        pages = -(-len(text) // limit)
        shelf.sizes[number] = (limit, pages)
        return Excerpt(text[:limit], f"result-{number}", pages)

    async def read(self, run_id: str, result: str, page: int) -> str:
        """One page of a kept result, from 1; `NotFound` says what there is."""
        shelf = self._shelves.get(run_id)
        sizes = shelf.sizes if shelf is not None else {}
        found = _NAME.fullmatch(result.strip())
        number = int(found[1]) if found else 0
        if number not in sizes:
            names = ", ".join(f"result-{each}" for each in sizes)
            raise NotFound(f"there is no kept result '{result[:40]}'", hint=f"there are: {names}" if names else "")
        limit, pages = sizes[number]
        if not 1 <= page <= pages:
            raise NotFound(f"result-{number} has the pages 1 to {pages}")
        text = await asyncio.to_thread(_read, self._folder / run_id / f"{number}.txt")
        return f"(page {page} of {pages})\n{text[(page - 1) * limit : page * limit]}"

    async def forget(self, run_id: str) -> None:
        """Remove what was kept for a run, also when nobody waits for that."""
        shelf = self._shelves.pop(run_id, None)
        if shelf is not None and shelf.writes:
            await asyncio.shield(self._begin(_remove(self._folder / run_id, shelf.writes)))

    async def _write(self, shelf: _Shelf, folder: Path, number: int, text: str) -> bool:
        writing = self._begin(asyncio.to_thread(_write, folder, number, text))
        shelf.writes.append(writing)
        return await asyncio.shield(writing)

    def _begin(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Have something done to its end, whatever becomes of the turn."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


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


async def _remove(folder: Path, writes: list[asyncio.Task[bool]]) -> None:
    await asyncio.wait(writes)
    await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


def _read(path: Path) -> str:
    return path.read_bytes().decode()
