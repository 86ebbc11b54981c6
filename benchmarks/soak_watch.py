"""What a running gateway holds, seen from outside and, for its tasks, by a dropped-in persona that counts them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import psutil

from benchmarks.connection import Connection
from benchmarks.figures import Figure
from benchmarks.gateway_process import ADDED, GatewayProcess

OBSERVER = """
import asyncio
import collections
import json
import os

import agent_gateway as ag


async def act(state: ag.TurnState, context: ag.Context) -> ag.TurnState:
    kinds = collections.Counter(task.get_coro().__qualname__ for task in asyncio.all_tasks())
    return {"response": json.dumps({"pid": os.getpid(), "tasks": dict(kinds)}), "citations": ()}


@ag.hookimpl
def register_personas() -> list[ag.Persona]:
    return [ag.Persona(id="observer", port=%d, title="Observer", prompt="Count.", stages={"act": act})]
"""
#: What may be held more at the end: connections that are kept for the next question, tasks and threads with them.
FILES, TASKS, THREADS = 16, 8, 16
#: Megabytes: whatever happened, and for a thousand turns in between. Fewer turns say nothing about memory, nor about
#: threads, which the libraries start when there is much to do, and keep.
SLACK_MB, GROWTH_MB, JUDGED_TURNS = 15.0, 2.0, 1000


class Seen(msgspec.Struct, frozen=True):
    """What the observer answers: tasks by the name of their coroutine."""

    pid: int
    tasks: dict[str, int]


@dataclass(frozen=True)
class Holding:
    """What the gateway holds when nothing is asked of it. Memory in megabytes, child processes included."""

    files: int
    threads: int
    tasks: dict[str, int]
    pss: float
    rss: float


async def look(gateway: GatewayProcess, idle_seconds: float) -> Holding:
    """Let it rest, then look."""
    await asyncio.sleep(idle_seconds)
    async with Connection(gateway.port(ADDED)) as connection:
        answer = await connection.ask("How many tasks are there?")
    seen = msgspec.json.decode(answer.response, type=Seen)
    process, memory = psutil.Process(seen.pid), gateway.memory()
    return Holding(process.num_fds(), process.num_threads(), seen.tasks, memory.pss, memory.rss)


def growth(before: Holding, middle: Holding, after: Holding, turns: int) -> list[Figure]:
    """What is held more at the end; memory since the middle, after so many turns."""
    judged = turns >= JUDGED_TURNS
    allowed = SLACK_MB + GROWTH_MB * turns / 1000 if judged else None
    tasks = sum(after.tasks.values()) - sum(before.tasks.values())
    return [
        Figure("growth: file descriptors", after.files - before.files, "", FILES),
        Figure("growth: threads", after.threads - before.threads, "", THREADS if judged else None),
        Figure("growth: tasks", tasks, "", TASKS),
        Figure("growth: PSS until the middle", middle.pss - before.pss, "MB"),
        Figure("growth: PSS since the middle", after.pss - middle.pss, "MB", allowed),
        Figure("turns since the middle", turns, ""),
        Figure("PSS at the end", after.pss, "MB"),
    ]


def more_tasks(before: Holding, after: Holding) -> Sequence[str]:
    """The coroutines of which there are more, for whoever looks for a leak."""
    more = {name: count - before.tasks.get(name, 0) for name, count in after.tasks.items()}
    return [f"{name} +{count}" for name, count in sorted(more.items()) if count > 0]
