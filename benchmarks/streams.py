"""Many answers streamed at once: whether all arrive whole, and how long a token takes from the stage to the client.

    python -m benchmarks.streams [--streams 500] [--tokens 400] [--ramp 10]

The tokens come from a dropped-in persona that speaks 20 of them a second; each carries the time it was spoken, on the
clock that all processes of a machine share. Events wait up to 20 ms for their transaction by design.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

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


class TokenData(msgspec.Struct, frozen=True):
    """The data of a token event."""

    text: str


@dataclass
class Heard:
    """What one client heard: milliseconds each token took, and whether the stream ended as it should."""

    delays: list[float] = field(default_factory=list)
    whole: bool = False


async def listen(port: int, tokens: int) -> Heard:
    """One stream to its end."""
    heard = Heard()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    body = msgspec.json.encode({"message": str(tokens)})
    head = b"POST /v1/chat HTTP/1.1\r\nhost: bench\r\naccept: text/event-stream\r\ncontent-type: application/json\r\n"
    writer.write(head + b"content-length: %d\r\n\r\n" % len(body) + body)
    kind = b""
    try:
        while line := await reader.readline():
            if line.startswith(b"event: "):
                kind = line[7:].strip()
            elif line.startswith(b"data: ") and kind == b"token":
                now = time.monotonic()
                spoken = msgspec.json.decode(line[6:], type=TokenData).text.split()
                heard.delays += [(now - float(each)) * 1000 for each in spoken]
            elif line.startswith(b"data: ") and kind == b"done":
                heard.whole = len(heard.delays) == tokens
                break
    finally:
        writer.close()
    return heard


async def measure(streams: int, tokens: int, ramp: float) -> list[Figure]:
    """Listen to all streams at once; they begin one after the other within `ramp` seconds, and then all run."""
    with tempfile.TemporaryDirectory() as folder:
        plugins = Path(shutil.copytree(ROOT / "plugins", Path(folder) / "plugins"))
        (plugins / "speaker.py").write_text(SPEAKER % ADDED, encoding="utf-8")
        async with ready(Served(plugins=plugins)) as gateway:
            port = gateway.port(ADDED)
            before, begun = gateway.cpu_seconds(), time.perf_counter()
            tasks = []
            for _ in range(streams):
                tasks.append(asyncio.create_task(listen(port, tokens)))
                await asyncio.sleep(ramp / streams)
            heard = await asyncio.gather(*tasks)
            cpu, wall = gateway.cpu_seconds() - before, time.perf_counter() - begun
    delays = [delay for each in heard for delay in each.delays]
    return [
        Figure("streams at once", streams, ""),
        Figure("dropped or cut streams", sum(not each.whole for each in heard), "", 0),
        Figure("event delay p50", quantile(delays, 0.5), "ms"),
        Figure("event delay p99", quantile(delays, 0.99), "ms", TARGET_MS),
        Figure("gateway CPU", 100 * cpu / wall, "% of a core"),
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
    asyncio.run(main())
