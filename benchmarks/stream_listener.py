"""Listens to many streamed answers at once, as a process of its own that computes as little as it can.

python -m benchmarks.stream_listener --port P --streams 300 --ramp 4 --message "..."

Prints one JSON object (`Heard`) when all streams have ended, or after `--patience` seconds.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
import time
from typing import cast

import msgspec

_TOKEN = re.compile(rb'event: token\ndata: \{"text":"([^"]*)"\}')
_STAMP = re.compile(rb"\d+\.\d{6}")
_ENDED = re.compile(rb"event: (done|error)\n")


class Heard(msgspec.Struct, frozen=True):
    """When each token came and how long it took since it was sent (seconds, monotonic), and how the streams ended.

    `tokens` counts those of each stream, `ends` its terminal events.
    """

    at: list[float]
    lag: list[float]
    tokens: list[int]
    ends: list[list[str]]


class Listener(asyncio.Protocol):
    """One stream. Events never straddle an empty line, so what stands before the last one is whole."""

    def __init__(self, request: bytes) -> None:
        self.at: list[float] = []
        self.lag: list[float] = []
        self.ends: list[str] = []
        self.ended = asyncio.get_running_loop().create_future()
        self._request = request
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are not derived from asyncio's.
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        now = time.monotonic()
        whole, empty, self._received = (self._received + data).rpartition(b"\n\n")
        whole += empty
        for text in _TOKEN.findall(whole):
            stamps = [float(each) for each in _STAMP.findall(text)]
            self.at += [now] * len(stamps)
            self.lag += [now - each for each in stamps]
        ends = _ENDED.findall(whole)
        if ends:
            self.ends += [each.decode() for each in ends]
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_result(None)


def make_request(message: str) -> bytes:
    """A streamed turn."""
    body = msgspec.json.encode({"message": message})
    head = b"POST /v1/chat HTTP/1.1\r\nhost: bench\r\naccept: text/event-stream\r\ncontent-type: application/json\r\n"
    return head + b"content-length: %d\r\n\r\n" % len(body) + body


async def listen(port: int, streams: int, ramp: float, patience: float, message: str) -> Heard:
    """All streams, begun one after the other within `ramp` seconds."""
    loop = asyncio.get_running_loop()
    request = make_request(message)
    listeners: list[Listener] = []
    begun = loop.time()
    for number in range(streams):
        await asyncio.sleep(begun + number * ramp / streams - loop.time())
        _, listener = await loop.create_connection(lambda: Listener(request), "127.0.0.1", port)
        listeners.append(listener)
    await asyncio.wait([each.ended for each in listeners], timeout=patience)
    return Heard(
        at=[at for each in listeners for at in each.at],
        lag=[lag for each in listeners for lag in each.lag],
        tokens=[len(each.lag) for each in listeners],
        ends=[each.ends for each in listeners],
    )


if __name__ == "__main__":
    import uvloop

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--streams", type=int, default=300)
    parser.add_argument("--ramp", type=float, default=4.0)
    parser.add_argument("--patience", type=float, default=60.0)
    parser.add_argument("--message", default="How are certificates renewed?")
    given = parser.parse_args()
    uvloop.install()
    heard = asyncio.run(listen(given.port, given.streams, given.ramp, given.patience, given.message))
    sys.stdout.buffer.write(msgspec.json.encode(heard))
