"""What a person sees while a gateway starts: a spinner on a terminal, one line elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.status import Status

from agent_gateway.cli.terminal_text import disarm_lines


class StartNotice:
    """Told again and again what is not ready yet; on standard error, and gone once its block is left."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._spinner: Status | None = None
        self._stack = ExitStack()
        self._said = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def __call__(self, parts: Mapping[str, str]) -> None:
        """Show the parts that are not ready, with their states."""
        if self._quiet:
            return
        text = describe(parts)
        if not sys.stderr.isatty():
            if not self._said:
                sys.stderr.write(f"{text}\n")
            self._said = True
        elif self._spinner is None:
            self._spinner = self._stack.enter_context(Console(stderr=True, markup=False).status(text))
        else:
            self._spinner.update(text)

    def end(self) -> None:
        """Take the spinner away."""
        self._stack.close()
        self._spinner = None


def describe(parts: Mapping[str, str]) -> str:
    """Say in one line what is waited for: what a part is busy with, or just the parts."""
    busy = [
        f"{name}: {state.removeprefix('waiting: ')}" for name, state in parts.items() if state.startswith("waiting")
    ]
    return disarm_lines(f"Starting the gateway ({'; '.join(busy) or ', '.join(parts) or 'almost ready'})")
