"""Mixed traffic on a gateway whose models fail now and then, and whether every turn came to exactly one end in time."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import msgspec

from benchmarks.connection import Connection

TERMINAL = frozenset({"done", "error"})
#: What a client does, and how often in a hundred.
KINDS = {"json": 40, "sse": 35, "leave": 15, "cancel": 10}
#: Turns of a conversation at most; seconds between two turns of a client.
CONVERSATION, THINKING = 4, 0.3
LINE_BYTES = 2**21


class Ending(msgspec.Struct, frozen=True):
    """What is read of a terminal event: an answer has a status, a problem a code."""

    status: str = "failed"
    conversation_id: str = ""
    model: str = ""
    code: str = ""


@dataclass
class Tally:
    """What came of all turns: ends by kind and outcome, what went wrong, and the slowest, in seconds."""

    ends: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    slowest: float = 0.0

    @property
    def turns(self) -> int:
        """All that ended."""
        return self.ends.total()


class EventReader:
    """A stream of events being read; `run_id` is the run's, `terminals` the ends that were seen."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader
        self.status = 0
        self.run_id = ""
        self.terminals: list[tuple[str, Ending]] = []

    async def open(self) -> None:
        """Read the head of the response."""
        head = await self._reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        self.status = int(first.split()[1])
        fields = dict(line.lower().split(": ", 1) for line in lines if line)
        self.run_id = fields.get("x-run-id", "")

    async def events(self) -> AsyncIterator[str]:
        """The types of the events up to the end of the connection."""
        kind = ""
        while line := await self._reader.readline():
            if line.startswith(b"event: "):
                kind = line[7:].decode().strip()
            elif line.startswith(b"data: "):
                if kind in TERMINAL:
                    self.terminals.append((kind, msgspec.json.decode(line[6:], type=Ending)))
                yield kind


@asynccontextmanager
async def streaming(port: int, path: str, body: object | None = None) -> AsyncIterator[EventReader]:
    """A response as events, on a connection that the server closes after it; left early, the client hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=LINE_BYTES)
    data = b"" if body is None else msgspec.json.encode(body)
    head = f"{'GET' if body is None else 'POST'} {path} HTTP/1.1\r\nhost: bench\r\naccept: text/event-stream\r\n"
    head += f"connection: close\r\ncontent-type: application/json\r\ncontent-length: {len(data)}\r\n\r\n"
    try:
        writer.write(head.encode() + data)
        events = EventReader(reader)
        await events.open()
        yield events
    finally:
        writer.close()


class Visitor:
    """One client that talks to the personas in turn, in conversations, and behaves as clients do."""

    def __init__(self, ports: Sequence[int], questions: Sequence[str], tally: Tally, limit: float, seed: int) -> None:
        self._ports = ports
        self._questions = questions
        self._tally = tally
        self._limit = limit
        self._random = random.Random(seed)
        self._port = ports[0]
        self._conversation = ""
        self._left = 0

    async def visit(self, until: float) -> None:
        """Ask until a time on the monotonic clock."""
        while time.monotonic() < until:
            (kind,) = self._random.choices(list(KINDS), weights=list(KINDS.values()))
            begun = time.monotonic()
            try:
                async with asyncio.timeout(self._limit):
                    ended = await self._turn(kind)
                self._tally.ends[f"{kind}: {ended}"] += 1
                self._tally.slowest = max(self._tally.slowest, time.monotonic() - begun)
            except TimeoutError:
                self._tally.problems.append(f"{kind}: no end within {self._limit:g} s")
            except (OSError, asyncio.IncompleteReadError) as error:
                self._tally.problems.append(f"{kind}: {error!r}")
            await asyncio.sleep(self._random.uniform(0, 2 * THINKING))

    async def _turn(self, kind: str) -> str:
        """One turn; how it ended."""
        if not self._left:
            self._left = self._random.randint(1, CONVERSATION)
            self._port = self._random.choice(self._ports)
            self._conversation = ""
        self._left -= 1
        body = {"message": self._random.choice(self._questions)}
        if self._conversation:
            body["conversation_id"] = self._conversation
        return await self._ask(body) if kind == "json" else await self._stream(kind, body)

    async def _ask(self, body: dict[str, str]) -> str:
        async with Connection(self._port) as connection:
            status, data = await connection.post("/v1/chat", body)
        if status != 200:
            self._tally.problems.append(f"json: status {status}: {data[:300].decode()}")
            return f"status {status}"
        answer = msgspec.json.decode(data, type=Ending)
        self._conversation = answer.conversation_id
        return f"{answer.status} {answer.model}"

    async def _stream(self, kind: str, body: dict[str, str]) -> str:
        async with streaming(self._port, "/v1/chat", body) as events:
            if events.status != 200:
                self._tally.problems.append(f"{kind}: status {events.status}")
                return f"status {events.status}"
            patience = self._random.randint(1, 12)
            async for _ in events.events():
                patience -= 1
                if not patience and kind == "leave":
                    break
                if not patience and kind == "cancel":
                    await self._cancel(events.run_id)
            run_id, terminals = events.run_id, events.terminals
        # Whoever left comes back for the rest; whoever stayed sees in the store what was heard.
        async with streaming(self._port, f"/v1/runs/{run_id}/events") as again:
            async for _ in again.events():
                pass
        stored = [name for name, _ in again.terminals]
        heard = [name for name, _ in terminals] if kind != "leave" else stored
        if len(stored) != 1 or heard != stored:
            self._tally.problems.append(f"{kind}: run {run_id} ended with {heard}, stored {stored}")
            return "wrong end"
        return self._describe(*again.terminals[0])

    def _describe(self, name: str, ending: Ending) -> str:
        if name == "error":
            self._left = 0
            return f"error {ending.code}"
        self._conversation = ending.conversation_id
        return f"{ending.status} {ending.model}"

    async def _cancel(self, run_id: str) -> None:
        async with Connection(self._port) as connection:
            status, data = await connection.post(f"/v1/runs/{run_id}/cancel", {})
        # 409: it had ended already.
        if status not in {200, 202, 204, 409}:
            self._tally.problems.append(f"cancel: status {status}: {data[:300].decode()}")
