"""Lines out of a stream of bytes, wherever it is cut."""

from __future__ import annotations

#: A longer line is no part of an answer.
LINE_BYTES = 1_048_576


class LineTooLong(ValueError):
    """A line is longer than a mebibyte; what follows cannot be told apart any more."""

    def __init__(self) -> None:
        super().__init__("a line is longer than 1 MiB")


class LineSplitter:
    """Collects bytes and gives whole lines, without the line feed and a carriage return before it.

    `tail` is what came after the last line feed; it never holds more than a line may.
    """

    __slots__ = ("_held", "_parts")

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._held = 0

    @property
    def tail(self) -> bytes:
        """The line that has no end yet."""
        return b"".join(self._parts)

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that end within these bytes; `LineTooLong` when one does not in time."""
        lines = data.split(b"\n")
        tail = lines.pop()
        if lines:
            if self._parts:
                self._parts.append(lines[0])
                lines[0] = b"".join(self._parts)
                self._parts.clear()
                self._held = 0
            if len(lines[0]) > LINE_BYTES or (len(data) > LINE_BYTES and max(map(len, lines)) > LINE_BYTES):
                raise LineTooLong
        if tail:
            self._parts.append(tail)
            self._held += len(tail)
            if self._held > LINE_BYTES:
                raise LineTooLong
        return lines
