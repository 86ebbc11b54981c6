"""Many models speaking at once through a gateway: whether all answers arrive whole, and how late a token is.

    python -m benchmarks.model_streams [--streams 300] [--tokens 400] [--rate 20] [--litellm-streams 50]

The text of each token is the time at which the model server sent it. The streams begin within the first fifth of an
answer's length; then they run for themselves; in the last two fifths, five short turns a second begin on another
persona, which must not stall them. Listener, model server and gateway are processes of their own, on the same cores.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from benchmarks.connection import Connection
from benchmarks.figures import Figure, quantile, show
from benchmarks.gateway_process import ADDED, BRUNO, ROOT, GatewayProcess, Served
from benchmarks.model_gateway import all_tiers, model_entry, serving, upstream
from benchmarks.model_upstream import INSTANT, PACED
from benchmarks.stream_listener import Heard
from benchmarks.turns import sample_questions

LAG_MS, TOKEN_US, STARTS_PER_SECOND = 100.0, 100.0, 5
#: Shares of an answer's length: until then all have begun, until then they are left alone.
RAMP, ALONE = 0.2, 0.6
#: Until the last of them has begun, whatever the listener's own start took.
SETTLE = 1.5
#: How long the streams may take beyond their length, seconds.
PATIENCE = 30.0
#: A persona whose short answers come at once, with the documents and the stages of any other.
ASKED = """
import agent_gateway as ag

MODEL = ag.ModelSpec(model="hosted_vllm/%(model)s", address="http://127.0.0.1:%(port)d/v1", direct=True, concurrency=50)


@ag.hookimpl
def register_personas() -> list[ag.Persona]:
    models = {tier: (MODEL,) for tier in ("small", "medium", "large")}
    return [
        ag.Persona(id="asked", port=%(listens)d, title="Asked", prompt="Answer shortly.", models=models,
                   collections=("homelab-docs",))
    ]
"""


@dataclass(frozen=True)
class Calm:
    """A time in which nothing begins: from, until (monotonic clock), and the gateway's CPU seconds in it."""

    since: float
    until: float
    cpu: float


@dataclass(frozen=True)
class Outcome:
    """What came of it. Seconds; `begun` is on the monotonic clock, `starts` those of the short turns."""

    heard: Heard
    begun: float
    cpu: float
    starts: tuple[float, ...]
    calm: Calm


async def watch_calm(gateway: GatewayProcess, length: float) -> Calm:
    """Measure the gateway while all streams run and nothing else does."""
    await asyncio.sleep(RAMP * length + SETTLE)
    since, before = time.monotonic(), gateway.cpu_seconds()
    await asyncio.sleep((ALONE - RAMP) * length - SETTLE)
    return Calm(since, time.monotonic(), gateway.cpu_seconds() - before)


@asynccontextmanager
async def gateway_between(tokens: int, rate: float, *, direct: bool) -> AsyncIterator[GatewayProcess]:
    """A gateway whose personas have the paced model, and `asked` the instant one."""
    async with upstream(tokens, rate) as port:
        with tempfile.TemporaryDirectory() as folder:
            plugins = Path(shutil.copytree(ROOT / "plugins", Path(folder) / "plugins"))
            text = ASKED % {"model": INSTANT, "port": port, "listens": ADDED}
            (plugins / "asked.py").write_text(text, encoding="utf-8")
            models = all_tiers(model_entry(port, PACED, direct=direct))
            async with serving(models, Served(plugins=plugins)) as gateway:
                yield gateway


async def start_turns(gateway: GatewayProcess, wait: float, seconds: float) -> tuple[float, ...]:
    """Begin short turns, so many a second, after `wait` seconds; how long each took."""
    await asyncio.sleep(wait)
    questions = sample_questions(1)

    async def ask(number: int) -> float:
        await asyncio.sleep(number / STARTS_PER_SECOND)
        begun = time.perf_counter()
        async with Connection(gateway.port(ADDED)) as connection:
            await connection.ask(questions[number % len(questions)])
        return time.perf_counter() - begun

    return tuple(await asyncio.gather(*(ask(number) for number in range(int(seconds * STARTS_PER_SECOND)))))


async def run_streams(gateway: GatewayProcess, streams: int, length: float) -> Outcome:
    """All streams, `length` seconds each, and the short turns beside the last part of them."""
    arguments = {"port": gateway.port(BRUNO), "streams": streams, "ramp": RAMP * length, "patience": length + PATIENCE}
    command = [sys.executable, "-m", "benchmarks.stream_listener"]
    for name, value in arguments.items():
        command += [f"--{name}", str(value)]
    before, begun = gateway.cpu_seconds(), time.monotonic()
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE, cwd=ROOT)
    starting = asyncio.create_task(start_turns(gateway, ALONE * length, (1 - ALONE) * length))
    watching = asyncio.create_task(watch_calm(gateway, length))
    output, _ = await process.communicate()
    starts, calm = await starting, await watching
    return Outcome(msgspec.json.decode(output, type=Heard), begun, gateway.cpu_seconds() - before, starts, calm)


async def measure(streams: int, tokens: int, rate: float, *, direct: bool) -> list[Figure]:
    """The figures of one way to the model."""
    async with gateway_between(tokens, rate, direct=direct) as gateway:
        async with Connection(gateway.port(ADDED)) as connection:
            await connection.ask("How are certificates renewed?")
        outcome = await run_streams(gateway, streams, tokens / rate)
    return report("direct" if direct else "LiteLLM", outcome, tokens, tokens / rate)


def report(name: str, outcome: Outcome, tokens: int, length: float) -> list[Figure]:
    """Targets are for the direct way."""
    heard = outcome.heard
    # The listener's own start takes a moment: what is said of the phases counts from the first token.
    begun = min(heard.at, default=outcome.begun)
    alone = window(heard, begun + RAMP * length, begun + ALONE * length)
    beside = window(heard, outcome.begun + ALONE * length, begun + length)
    cut = sum(count != tokens or ends != ["done"] for count, ends in zip(heard.tokens, heard.ends, strict=True))
    streamed = sum(outcome.calm.since <= at < outcome.calm.until for at in heard.at)
    lag, cost = (LAG_MS, TOKEN_US) if name == "direct" else (None, None)
    return [
        Figure(f"{name}: streams at once", len(heard.tokens), ""),
        Figure(f"{name}: cut or incomplete", cut, "", 0),
        Figure(f"{name}: lag alone, p50", quantile(alone, 0.5), "ms"),
        Figure(f"{name}: lag alone, p99", quantile(alone, 0.99), "ms", lag),
        Figure(f"{name}: lag with turns starting, p50", quantile(beside, 0.5), "ms"),
        Figure(f"{name}: lag with turns starting, p99", quantile(beside, 0.99), "ms", lag),
        Figure(f"{name}: gateway CPU per streamed token", outcome.calm.cpu / max(1, streamed) * 1e6, "us", cost),
        Figure(f"{name}: the same with all that begins", outcome.cpu / max(1, sum(heard.tokens)) * 1e6, "us"),
        Figure(f"{name}: those short turns, p50", quantile(outcome.starts, 0.5) * 1000, "ms"),
    ]


def window(heard: Heard, since: float, until: float) -> list[float]:
    """Lags in milliseconds of the tokens that came within a time; one 0 if there was none."""
    found = [lag * 1000 for at, lag in zip(heard.at, heard.lag, strict=True) if since <= at < until]
    return found or [0.0]


async def main() -> None:
    """Measure both ways and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=300)
    parser.add_argument("--tokens", type=int, default=400)
    parser.add_argument("--rate", type=float, default=20.0)
    parser.add_argument("--litellm-streams", type=int, default=50)
    options = parser.parse_args()
    figures = await measure(options.streams, options.tokens, options.rate, direct=True)
    if options.litellm_streams:
        figures += await measure(options.litellm_streams, options.tokens, options.rate, direct=False)
    show("model streams", figures)


if __name__ == "__main__":
    asyncio.run(main())
