"""Ollama's own chat stream: one JSON object a line, looked at before LiteLLM takes it apart."""

from __future__ import annotations

from typing import Any

import msgspec

from agent_gateway.completion import ModelSpec
from agent_gateway.models.failures import malformed, reported, stream_cut

_BROKEN = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class _Message(msgspec.Struct):
    content: str | None = None


class _Line(msgspec.Struct):
    message: _Message | None = None
    done: bool = False
    error: Any = None


_decode = msgspec.json.Decoder(_Line).decode


class LineReader:
    """Reads the lines of one stream; `done` once the last has come. `ModelFailed` for what is no such line."""

    def __init__(self, spec: ModelSpec) -> None:
        self._spec = spec
        self.done = False

    def read(self, line: bytes) -> None:
        """Look at a line."""
        try:
            self._parse(line)
        except _BROKEN as error:
            raise malformed(self._spec, str(error)) from error

    def end(self, tail: bytes) -> None:
        """Look at what came after the last line; `ModelFailed` when the answer has no end."""
        try:
            tail.decode()
        except UnicodeDecodeError as error:
            raise malformed(self._spec, str(error)) from error
        try:
            self._parse(tail)
        except _BROKEN as error:
            raise stream_cut(self._spec) from error
        if not self.done:
            raise stream_cut(self._spec)

    def _parse(self, line: bytes) -> None:
        if self.done or not line.strip():
            return
        read = _decode(line)
        if read.error:
            raise reported(self._spec, read.error)
        if read.message is None:
            raise malformed(self._spec, "a line without a message")
        self.done = read.done
