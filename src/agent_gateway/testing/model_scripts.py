"""The bytes of one answer, faults and all, worked out before the first of them is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Any, Protocol

from agent_gateway.testing.model_replies import Fault, ModelCall, Reply

JSON = "application/json"
#: Not ASCII, so that it can be cut in two; it also marks where a piece's text begins.
MARK = "é"
PAGE = b"<!DOCTYPE html>\n<html><head><title>Welcome</title></head><body><h1>It works!</h1></body></html>\n"


class End(Enum):
    """What comes after the last byte of a script."""

    CLEAN = auto()
    SILENCE = auto()
    RESET = auto()
    FLOOD = auto()


@dataclass(frozen=True)
class Script:
    """An answer: bodies of HTTP chunks in their order, or the parts of one body of `length` bytes."""

    steps: Sequence[bytes]
    content_type: str = JSON
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    length: int | None = None
    end: End = End.CLEAN
    closes: bool = False


#: What follows on the pieces when nothing else does.
BREAKS = {Fault.STALL: End.SILENCE, Fault.CUT: End.RESET, Fault.NO_TERMINAL: End.CLEAN}


class Wire(Protocol):
    """How one API writes the answer to one call."""

    stream_type: str
    #: What ends a line of a stream.
    separator: bytes

    def opening(self) -> bytes:
        """What a stream begins with."""
        ...

    def piece(self, text: str) -> bytes:
        """A piece of text."""
        ...

    def call_pieces(self, calls: Sequence[tuple[str, Mapping[str, Any] | str]]) -> list[bytes]:
        """All tool calls."""
        ...

    def cut_call(self, name: str, arguments: Mapping[str, Any] | str) -> bytes:
        """A tool call up to the middle of its arguments."""
        ...

    def closing(self, finish: str, usage: tuple[int, int] | None) -> bytes:
        """What a stream ends with."""
        ...

    def document(self, reply: Reply, finish: str | None, usage: tuple[int, int] | None) -> bytes:
        """The whole answer in one; an unfinished one without `finish`."""
        ...

    def refusal(self, fault: Fault) -> Script:
        """The answer to a request that is refused."""
        ...

    def problem(self, status: int, message: str) -> Script:
        """The answer to a request that is wrong."""
        ...


def write_script(wire: Wire, call: ModelCall, reply: Reply) -> Script:
    """Work out the answer to a call that is not refused."""
    if reply.fault is Fault.WRONG_CONTENT_TYPE:
        return Script([PAGE], content_type="text/html; charset=utf-8", length=len(PAGE))
    return _stream(wire, call, reply) if call.streams else _document(wire, call, reply)


def _finish(reply: Reply) -> str:
    """Why the answer ends, as OpenAI's API says it."""
    return reply.finish or ("tool_calls" if reply.tool_calls else "stop")


def _stream(wire: Wire, call: ModelCall, reply: Reply) -> Script:
    """The answer in pieces. What opens a stream comes with its first piece, as a model server sends it."""
    pieces = [wire.piece(text) for text in reply.pieces]
    closing = wire.closing(_finish(reply), reply.counted(call))
    script = _spoilt(wire, reply, [*pieces, *wire.call_pieces(reply.tool_calls)], closing)
    steps = list(script.steps)
    if reply.fault is not Fault.NO_FIRST_BYTE:
        steps[:1] = [wire.opening() + b"".join(steps[:1])]
    if reply.split:
        whole = b"".join(steps)
        steps = [whole[start : start + reply.split] for start in range(0, len(whole), reply.split)]
    return replace(script, steps=[step for step in steps if step], content_type=wire.stream_type)


def _spoilt(wire: Wire, reply: Reply, pieces: list[bytes], closing: bytes) -> Script:
    """The pieces and the closing as the reply's fault has them."""
    before, after = pieces[: reply.pieces_before_fault], pieces[reply.pieces_before_fault :]
    sample = wire.piece(MARK)
    begun = sample[: sample.index(MARK.encode())]
    if reply.fault in BREAKS:
        return Script(before, end=BREAKS[reply.fault])
    match reply.fault:
        case Fault.NO_FIRST_BYTE:
            return Script([], end=End.SILENCE)
        case Fault.MALFORMED_JSON:
            return Script([*before, begun + wire.separator, *after, closing])
        case Fault.HALF_UTF8:
            return Script([*before, begun + MARK.encode()[:1]], closes=True)
        case Fault.HUGE_LINE:
            return Script([*before, begun], end=End.FLOOD)
        case Fault.CUT_TOOL_CALL:
            return Script([*pieces[: len(reply.pieces)], wire.cut_call(*reply.tool_calls[0])], closes=True)
        case Fault.TWO_TERMINALS:
            return Script([*pieces, closing + closing])
    return Script([*pieces, closing])


def _document(wire: Wire, call: ModelCall, reply: Reply) -> Script:
    """The answer in one body. A fault in the middle of a stream is one in the middle of the body."""
    finish = None if reply.fault is Fault.NO_TERMINAL else _finish(reply)
    body = wire.document(reply, finish, reply.counted(call))
    half, length = body[: len(body) // 2], len(body)
    match reply.fault:
        case Fault.NO_FIRST_BYTE:
            return Script([], length=length, end=End.SILENCE)
        case Fault.STALL:
            return Script([half], length=length, end=End.SILENCE)
        case Fault.CUT:
            return Script([half], length=length, end=End.RESET)
        case Fault.MALFORMED_JSON | Fault.CUT_TOOL_CALL:
            return Script([half], length=len(half))
        case Fault.HALF_UTF8:
            body = wire.document(replace(reply, text=MARK), finish, None)
            half = body[: body.index(MARK.encode()) + 1]
            return Script([half], length=len(half), closes=True)
        case Fault.HUGE_LINE:
            return Script([b'{"error": "'], end=End.FLOOD)
    return Script([body], length=length)
