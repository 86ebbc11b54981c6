"""What commands write to standard output: rich on a terminal, plain text in a pipe, JSON when asked.

What is written may come from anybody: nothing in it reaches a terminal that the terminal would obey.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec

from agent_gateway.cli.terminal_text import disarm, disarm_lines

if TYPE_CHECKING:
    from rich.console import Console


class Output:
    """The output of one command. `rich` tells whether a person sits at it: a terminal, and not asked for JSON."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self.rich = sys.stdout.isatty() and not as_json

    @cached_property
    def console(self) -> Console:
        """The terminal; nothing in its text is taken for markup."""
        from rich.console import Console  # noqa: PLC0415 - only what is shown on a terminal needs it

        return Console(markup=False, highlight=False, emoji=False, soft_wrap=True)

    def document(self, value: Any) -> None:
        """Write the one JSON document of a command."""
        self._write(msgspec.json.format(encode(value), indent=2) + b"\n")

    def record(self, value: Any) -> None:
        """Write one line of a JSON stream."""
        self._write(encode(value) + b"\n")

    def text(self, text: str, *, end: str = "\n", style: str = "") -> None:
        """Write text; `style` is for terminals."""
        shown = disarm_lines(text)
        if self.rich:
            self.console.print(shown, end=end, style=style or None)
            return
        sys.stdout.write(shown + end)
        sys.stdout.flush()

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Write a table: drawn on a terminal, else a line of tab-separated values for each row, names first."""
        if not self.rich:
            cells = [[disarm_lines(" ".join(str(cell).split())) for cell in row] for row in rows]
            lines = ["\t".join(row) for row in (columns, *cells)]
            sys.stdout.write("\n".join(lines) + "\n")
            return
        from rich.table import Table  # noqa: PLC0415 - as in `console`

        drawn = Table(*columns, box=None, header_style="bold", pad_edge=False)
        for row in rows:
            drawn.add_row(*(disarm_lines(str(cell)) for cell in row))
        self.console.print(drawn, soft_wrap=False)

    @staticmethod
    def warn(text: str) -> None:
        """Write a line to standard error."""
        sys.stderr.write(f"Warning: {disarm_lines(text)}\n")

    @staticmethod
    def _write(data: bytes) -> None:
        sys.stdout.buffer.write(data)
        sys.stdout.flush()


def encode(value: Any) -> bytes:
    """Encode a value as JSON; paths become text."""
    return disarm(msgspec.json.encode(value, enc_hook=str).decode()).encode()
