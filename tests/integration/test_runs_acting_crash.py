"""Runs that change something, in a process that is killed again and again: each change is made once.

As a program this file is the process that is killed.
"""

from __future__ import annotations

import asyncio
import os
import random
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from signal import SIGKILL

import structlog
from tests.unit.runs.acting import APPROVE, Doer, until
from tests.unit.runs.conftest import ScriptedAgent

from agent_gateway.interfaces import ApprovalQuery, TurnRequest
from agent_gateway.runs import RunOptions, SqliteRuns
from agent_gateway.runs.audit_reading import verify_log
from agent_gateway.runs.database import FILE_NAME

ROOT = Path(__file__).resolve().parents[2]
KILLS = 8
STREAMS = 3
CALLS = 2
WORLD = "world"


class World(list[str]):
    """Changes that outlive the process: a file with a line for each."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / WORLD
        self._path.touch()
        super().__init__(self._path.read_text().split())

    def append(self, key: str) -> None:
        with self._path.open("a") as file:
            file.write(f"{key}\n")
            file.flush()
            os.fsync(file.fileno())
        super().append(key)


async def open_runs(folder: Path) -> tuple[SqliteRuns, Doer]:
    """The runs of a data directory, with an agent that makes two changes a run."""
    opened: list[SqliteRuns] = []

    async def tell(place: str) -> None:
        sys.stdout.write(f"{place}\n")
        sys.stdout.flush()
        await asyncio.sleep(random.uniform(0, 0.004))

    doer = Doer(lambda: opened[0], calls=CALLS, world=World(folder), at=tell)
    agent = ScriptedAgent(doer.run, doer.go_on)
    options = RunOptions(event_interval_ms=5, max_attempts=KILLS + 2)
    opened.append(await SqliteRuns.open(folder / FILE_NAME, {"bruno": agent}, options))
    return opened[0], doer


async def approve_all(runs: SqliteRuns) -> None:
    """Approve whatever is asked, for ever."""
    while True:
        for asked in await runs.approvals.list(ApprovalQuery(pending=True)):
            await runs.approvals.decide(asked.id, APPROVE)
        await asyncio.sleep(0.003)


async def act_for_ever(folder: Path) -> None:
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    runs, _ = await open_runs(folder)
    await runs.recover()

    async def stream() -> None:
        while True:
            run = await runs.start(TurnRequest(persona="bruno", owner="local", message="scale"))
            async for event in runs.follow(run.id):
                assert event.type != "error", event.data

    await asyncio.gather(approve_all(runs), *(stream() for _ in range(STREAMS)))


async def run_and_kill(folder: Path, places: int) -> None:
    """Kill the process when it has come to so many places."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.integration.test_runs_acting_crash", str(folder), cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    for _ in range(places):
        assert await process.stdout.readline(), "the process ended by itself"
    process.send_signal(SIGKILL)
    await process.wait()


async def test_killed_process_makes_each_change_once_and_its_audit_log_stays_whole(tmp_path: Path) -> None:
    logged = 0
    for kill in range(KILLS):
        await run_and_kill(tmp_path, places=20 + 7 * kill)
        last = verify_log(tmp_path)
        assert last.seq > logged
        logged = last.seq
    runs, doer = await open_runs(tmp_path)
    doer.at = lambda place: asyncio.sleep(0)
    await runs.recover()
    approving = asyncio.create_task(approve_all(runs))
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as connection:
        run_ids = [run_id for (run_id,) in connection.execute("SELECT id FROM runs")]
    async with asyncio.timeout(60):
        for run_id in run_ids:
            run = await until(runs, run_id, "completed")
            assert run.answer is not None
            assert run.answer.response == f"{CALLS} done"
            events = [event async for event in runs.follow(run_id)]
            assert [event.seq for event in events] == list(range(1, len(events) + 1))
            assert [event.terminal for event in events].count(True) == 1
    approving.cancel()
    changes = (tmp_path / WORLD).read_text().split()
    assert sorted(changes) == sorted(f"{run_id}.call_{number}" for run_id in run_ids for number in range(CALLS))
    assert {each.status for each in await runs.approvals.list(ApprovalQuery(limit=500))} == {"spent"}
    await runs.close()
    assert verify_log(tmp_path).seq > logged


if __name__ == "__main__":
    asyncio.run(act_for_ever(Path(sys.argv[1])))
