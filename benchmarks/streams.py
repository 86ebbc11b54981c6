"""Many answers streamed at once: whether all arrive whole, and how long a token takes from the stage to the client.

    python -m benchmarks.streams [--streams 500] [--tokens 400] [--ramp 10]

The tokens come from a dropped-in persona that speaks 20 of them a second; each carries the time it was spoken, on the
clock that all processes of a machine share. Events wait up to 20 ms for their transaction by design.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import shutil
import tempfile
import time
from pathlib import Path

import msgspec
import uvloop

from benchmarks.figures import Figure, quantile, show
from benchmarks.gateway_process import ADDED, ROOT, Served, ready

TARGET_MS = 100.0
SPEAKER = """
import asyncio
import time

import agent_gateway as ag


async def act(state: ag.TurnState, context: ag.Context) -> ag.TurnState:
    for _ in range(int(state["message"])):
        await context.emit(ag.Token(text=f"{time.monotonic():.6f} "))
        await asyncio.sleep(0.05)
    return {"response": "done", "citations": ()}


@ag.hookimpl
def register_personas() -> list[ag.Persona]:
    return [ag.Persona(id="speaker", port=%d, title="Speaker", prompt="Speak.", stages={"act": act})]
"""


_SPOKEN, _NUMBER, _DONE = re.compile(rb"(\d+\.\d{6}) "), re.compile(rb"^id: (\d+)$", re.MULTILINE), b"\nevent: done\n"


class Listener(asyncio.Protocol):
    """One stream: milliseconds each token took, and whether the stream is whole when it ends.

    Bytes are only searched, never parsed line by line: a slow listener would measure itself.
    """

    def __init__(self, tokens: int) -> None:
        self.delays: list[float] = []
        self.numbers: list[int] = []
        self.ended = asyncio.get_running_loop().create_future()
        self._tokens = tokens
        self._rest = b""
        self._done = False

    @property
    def whole(self) -> bool:
        """Every token once, events numbered from 1 without a gap, the last one there."""
        counted = self.numbers == list(range(1, len(self.numbers) + 1))
        return self._done and counted and len(self.delays) == self._tokens

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for so many tokens."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        body = msgspec.json.encode({"message": str(self._tokens)})
        head = (
            b"POST /v1/chat HTTP/1.1\r\nhost: bench\r\naccept: text/event-stream\r\n"
            b"content-type: application/json\r\ncontent-length: %d\r\n\r\n"
        )
        transport.write(head % len(body) + body)

    def data_received(self, data: bytes) -> None:
        """Take the time first."""
        now = time.monotonic()
        complete, end, rest = (self._rest + data).rpartition(b"\n\n")
        self._rest = rest
        self.numbers += map(int, _NUMBER.findall(complete))
        self.delays += [(now - float(spoken)) * 1000 for spoken in _SPOKEN.findall(complete)]
        if _DONE in complete + end:
            self._done = True
            self._transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        """However it ends."""
        del error
        self.ended.set_result(None)


async def listen(port: int, tokens: int) -> Listener:
    """One stream to its end."""
    _, listener = await asyncio.get_running_loop().create_connection(lambda: Listener(tokens), "127.0.0.1", port)
    await listener.ended
    return listener


async def measure(streams: int, tokens: int, ramp: float) -> list[Figure]:
    """Listen to all streams at once; they begin one after the other within `ramp` seconds, and then all run."""
    with tempfile.TemporaryDirectory() as folder:
        plugins = Path(shutil.copytree(ROOT / "plugins", Path(folder) / "plugins"))
        (plugins / "speaker.py").write_text(SPEAKER % ADDED, encoding="utf-8")
        async with ready(Served(plugins=plugins)) as gateway:
            port = gateway.port(ADDED)
            before, begun, own = gateway.cpu_seconds(), time.perf_counter(), time.process_time()
            tasks = []
            for _ in range(streams):
                tasks.append(asyncio.create_task(listen(port, tokens)))
                await asyncio.sleep(ramp / streams)
            heard = await asyncio.gather(*tasks)
            cpu, wall = gateway.cpu_seconds() - before, time.perf_counter() - begun
            own = time.process_time() - own
    delays = [delay for each in heard for delay in each.delays]
    return [
        Figure("streams at once", streams, ""),
        Figure("dropped or cut streams", sum(not each.whole for each in heard), "", 0),
        Figure("event delay p50", quantile(delays, 0.5), "ms"),
        Figure("event delay p99", quantile(delays, 0.99), "ms", TARGET_MS),
        Figure("gateway CPU", 100 * cpu / wall, "% of a core"),
        Figure("listeners' CPU", 100 * own / wall, "% of a core"),
    ]


async def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=500)
    parser.add_argument("--tokens", type=int, default=400)
    parser.add_argument("--ramp", type=float, default=10.0)
    options = parser.parse_args()
    show("streams", await measure(options.streams, options.tokens, options.ramp))


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
