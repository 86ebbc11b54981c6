"""Runs in a process that is killed again and again: nothing that was seen is lost, and everything comes to an end.

As a program (`python test_runs_crash.py DATABASE`) this file is the process that is killed.
"""

from __future__ import annotations

import asyncio
import sys
from collections import defaultdict
from pathlib import Path
from signal import SIGKILL

import msgspec
import structlog

from agent_gateway.events import Event, Token
from agent_gateway.interfaces import Emit, TurnRequest
from agent_gateway.messages import Answer, Exchange, Run
from agent_gateway.runs import RunOptions, SqliteRuns

KILLS = 5
STREAMS = 4


class WordByWord:
    """Answers with the message, one word every millisecond."""

    async def run(self, run: Run, history: tuple[Exchange, ...], emit: Emit) -> Answer:
        for word in run.message.split():
            await emit(Token(text=f"{word} "))
            await asyncio.sleep(0.001)
        return Answer(
            response=run.message,
            model="extractive",
            context_used=0,
            latency_ms=1.0,
            conversation_id=run.conversation_id,
            run_id=run.id,
            status="completed",
        )

    async def resume(self, run: Run, history: tuple[Exchange, ...], emit: Emit, checkpoint: bytes) -> Answer:
        raise AssertionError("nothing is stored to go on from")


async def open_runs(path: Path) -> SqliteRuns:
    return await SqliteRuns.open(path, {"bruno": WordByWord()}, RunOptions(event_interval_ms=5, max_attempts=KILLS + 2))


def report(run_id: str, event: Event) -> None:
    """One line for each event that a follower was given."""
    sys.stdout.write(f"{run_id} {event.seq} {event.type} {event.data.decode()}\n")
    sys.stdout.flush()


async def answer_for_ever(path: Path) -> None:
    # Standard output is for what was seen.
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    runs = await open_runs(path)
    await runs.recover()

    async def stream(number: int) -> None:
        conversation_id = None
        while True:
            message = " ".join(f"{number}.{word}" for word in range(60))
            request = TurnRequest(persona="bruno", owner="local", message=message, conversation_id=conversation_id)
            run = await runs.start(request)
            conversation_id = run.conversation_id
            async for event in runs.follow(run.id):
                report(run.id, event)

    await asyncio.gather(*(stream(number) for number in range(STREAMS)))


async def run_and_kill(path: Path, answers: int) -> dict[str, list[tuple[int, str, bytes]]]:
    """What followers were shown until so many runs had ended and another had just shown its first token."""
    seen: dict[str, list[tuple[int, str, bytes]]] = defaultdict(list)
    process = await asyncio.create_subprocess_exec(
        sys.executable, __file__, str(path), stdout=asyncio.subprocess.PIPE, limit=2**20
    )
    assert process.stdout is not None
    ended = 0
    seq = b""
    while ended < answers or seq != b"2":
        line = await process.stdout.readline()
        assert line, "the process ended by itself"
        run_id, seq, kind, data = line.split(maxsplit=3)
        seen[run_id.decode()].append((int(seq), kind.decode(), data.strip()))
        ended += kind == b"done"
    process.send_signal(SIGKILL)
    await process.wait()
    return seen


def text_of(events: list[Event]) -> str:
    """The text of the tokens that a client keeps."""
    discard_after, resumed = max(
        (
            (msgspec.json.decode(event.data)["discard_after"], event.seq)
            for event in events
            if event.type == "run_resumed"
        ),
        key=lambda pair: pair[1],
        default=(0, 0),
    )
    kept = [event for event in events if event.seq <= discard_after or event.seq > resumed]
    return "".join(msgspec.json.decode(event.data, type=Token).text for event in kept if event.type == "token")


async def test_killed_process_loses_nothing_that_was_seen_and_every_run_ends(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    seen: dict[str, list[tuple[int, str, bytes]]] = {}
    for kill in range(KILLS):
        seen.update(await run_and_kill(path, answers=2 + kill))
    cut = [run_id for run_id, events in seen.items() if events[-1][1] != "done"]
    assert len(cut) >= KILLS

    runs = await open_runs(path)
    assert await runs.recover() > 0
    for run_id, shown in seen.items():
        events = [event async for event in runs.follow(run_id)]
        assert [event.seq for event in events] == list(range(1, len(events) + 1))
        assert [(event.seq, event.type, event.data) for event in events][: len(shown)] == shown
        assert [event.type for event in events if event.terminal] == [events[-1].type]
        run = await runs.get(run_id, "bruno", "local")
        assert run.status == "completed"
        assert run.answer is not None
        assert run.answer.response == run.message
        assert text_of(events) == f"{run.message} "
    await runs.close()


if __name__ == "__main__":
    asyncio.run(answer_for_ever(Path(sys.argv[1])))
