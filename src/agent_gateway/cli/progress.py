"""How an ingest goes on: a bar on a terminal, one line at the end elsewhere, every step as JSON when asked."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from agent_gateway.cli.output import Output
from agent_gateway.interfaces import IngestProgress


class ProgressDisplay:
    """Shows the steps of one ingest; the bar is on standard error and goes when the block is left."""

    def __init__(self, output: Output, collection: str) -> None:
        self._output = output
        self._collection = collection
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[chunks]} chunks"),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            transient=True,
            disable=output.as_json or not sys.stderr.isatty(),
        )
        self._task = self._bar.add_task(f"Ingesting into {collection}", total=None, chunks=0)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def show(self, step: IngestProgress) -> None:
        """Show one step."""
        if self._output.as_json:
            self._output.record(step)
            return
        self._bar.update(self._task, completed=step.files, total=step.total, chunks=step.chunks)
        if step.finished:
            self._bar.stop()
            self._output.text(self._conclude(step))

    def _conclude(self, step: IngestProgress) -> str:
        counts = {
            "added": step.added,
            "changed": step.changed,
            "unchanged": step.unchanged,
            "removed": step.removed,
            "skipped": len(step.skipped),
        }
        told = ", ".join(f"{count} {name}" for name, count in counts.items() if count or name == "added")
        return f"{self._collection}: {told}; {step.chunks} chunks written"
