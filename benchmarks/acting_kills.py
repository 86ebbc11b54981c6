"""kill -9 at every point of a run that changes something: the change is made once, and nothing that was said is lost.

    python -m benchmarks.acting_kills --kills 200 --seed 1

A real gateway and a real Git server. Each round asks for a change ("set user-api to N replicas"), approves it, and
kills the gateway at one of the points; then a new one starts on the same data, and the round must come to its end.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from benchmarks.acting_world import MANIFEST, KillingGitServer, Rows
from benchmarks.gateway_process import AUDITOR, GATEWAY, ROOT, Served, copy_of, find_offset, prepare

READY_LIMIT = 10.0
ROUND_SECONDS = 60.0
#: Where a run is killed; the queries tell that it has come so far.
POINTS = (
    "waiting", "deciding", "decided", "intent", "before the effect", "after the effect", "outcome", "result", "done"
)  # fmt: skip
_QUERIES = {
    "decided": "SELECT count(*) FROM approvals WHERE run_id = ? AND status <> 'pending'",
    "intent": "SELECT count(*) FROM effects WHERE run_id = ?",
    "outcome": "SELECT count(*) FROM effects WHERE run_id = ? AND outcome <> ''",
    "result": "SELECT count(*) FROM events WHERE type = 'tool_result' AND run = (SELECT number FROM runs WHERE id = ?)",
    "done": "SELECT count(*) FROM runs WHERE id = ? AND status = 'completed'",
}


@dataclass
class Figures:
    """What was seen. `faults` are sentences; there must be none."""

    kills: Counter[str] = field(default_factory=Counter)
    ready: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    acknowledged: int = 0
    changes: int = 0


class Victim:
    """The gateway of this moment."""

    def __init__(self, data_dir: Path, config: Path, served: Served) -> None:
        self._data_dir, self._config, self._served = data_dir, config, served
        self._offset = offset = find_offset()
        self._process: subprocess.Popen[bytes] | None = None
        self.http = httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{AUDITOR + offset}", timeout=ROUND_SECONDS, trust_env=False
        )

    async def start(self) -> float:
        """Start it; returns the seconds until it is ready."""
        command = [sys.executable, "-m", "agent_gateway", "serve", "--data-dir", str(self._data_dir)]
        command += ["--config", str(self._config), "--personas-file", str(self._served.personas)]
        command += ["--port-offset", str(self._offset)]
        environment = {**os.environ, "AGENT_GATEWAY__MODELS__DISCOVER": "false"}
        environment["AGENT_GATEWAY__PLUGINS_DIR"] = str(self._served.plugins)
        begun = time.perf_counter()
        with (self._data_dir / "serve.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, env=environment, cwd=ROOT)  # noqa: ASYNC220 - one at a time
        while time.perf_counter() - begun < ROUND_SECONDS:
            try:
                url = f"http://127.0.0.1:{GATEWAY + self._offset}/readyz"
                if (await self.http.get(url)).status_code == 200:
                    return time.perf_counter() - begun
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.01)
        raise RuntimeError("the gateway does not become ready: see serve.log")

    def kill(self) -> None:
        """End it as the power would."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()

    async def read(self, run_id: str) -> dict[str, Any]:
        """A run, as its owner sees it."""
        answer = await self.http.get(f"/v1/runs/{run_id}")
        found: dict[str, Any] = answer.json()
        return found


class Trial:
    """Rounds on one data directory."""

    def __init__(self, victim: Victim, git: KillingGitServer, rows: Rows, chance: random.Random) -> None:
        self._victim, self._git, self._rows, self._chance = victim, git, rows, chance
        self.figures = Figures()

    async def round(self, number: int, point: str) -> None:
        """Ask, approve, kill at a point, start again, and see it end."""
        git, figures = self._git, self.figures
        before = sum(git.effects().values())
        replicas = number % 90 + 2
        answer = (
            await self._victim.http.post("/v1/chat", json={"message": f"set user-api to {replicas} replicas"})
        ).json()
        if answer["status"] != "waiting":
            figures.faults.append(f"round {number}: not asked, but {answer['status']}: {answer['response'][:200]}")
            return
        figures.acknowledged += 1
        run_id, approval = answer["run_id"], answer["approvals"][0]["id"]
        await self._kill_at(point, run_id, approval)
        figures.kills[point] += 1
        figures.ready.append(await self._victim.start())
        await self._settle(number, point, run_id)
        made = sum(git.effects().values()) - before
        figures.changes += made
        if made != 1 or max(git.effects().values()) > 1:
            figures.faults.append(f"round {number} ({point}): the change was made {made} times")
        if f"replicas: {replicas}\n" not in git.files()["apps/user-api.yaml"]:
            figures.faults.append(f"round {number} ({point}): the file is not as it was approved")

    async def _kill_at(self, point: str, run_id: str, approval: str) -> None:
        dead = asyncio.Event()
        loop = asyncio.get_running_loop()

        def kill() -> None:
            self._victim.kill()
            loop.call_soon_threadsafe(dead.set)

        if point == "waiting":
            kill()
            return
        self._git.before_push = kill if point == "before the effect" else None
        self._git.after_push = kill if point == "after the effect" else None
        deciding = asyncio.create_task(self._decide(approval))
        if point == "deciding":
            await asyncio.sleep(self._chance.uniform(0, 0.01))
            kill()
        elif point in _QUERIES:
            while not await asyncio.to_thread(self._rows.count, _QUERIES[point], run_id):  # noqa: ASYNC110 - nobody is told
                await asyncio.sleep(0.0005)
            kill()
        async with asyncio.timeout(ROUND_SECONDS):
            await dead.wait()
        self._git.before_push = self._git.after_push = None
        await asyncio.gather(deciding, return_exceptions=True)

    async def _decide(self, approval: str) -> None:
        await self._victim.http.post(f"/v1/approvals/{approval}", json={"decision": "approve"})

    async def _settle(self, number: int, point: str, run_id: str) -> None:
        """Whatever still waits is decided; then the run ends."""
        until = time.monotonic() + ROUND_SECONDS
        while time.monotonic() < until:
            run = await self._victim.read(run_id)
            if run.get("status") == "completed":
                return
            pending = (await self._victim.http.get("/v1/approvals")).json()["approvals"]
            mine = [each for each in pending if each["run_id"] == run_id]
            if run.get("status") == "waiting" and not mine:
                # It may just be going on.
                await asyncio.sleep(0.05)
                if (await self._victim.read(run_id)).get("status") == "waiting":
                    self.figures.faults.append(f"round {number} ({point}): it waits for an approval that is not there")
                    return
            for each in mine:
                await self._decide(each["id"])
            await asyncio.sleep(0.02)
        self.figures.faults.append(f"round {number} ({point}): the run never ended: {run.get('status')}")


@asynccontextmanager
async def a_trial(chance: random.Random, served: Served, prepared: Path) -> AsyncIterator[Trial]:
    """A Git server with one application, and a gateway that may change it."""
    with tempfile.TemporaryDirectory(prefix="agent-gateway-kills-") as folder, copy_of(prepared) as data_dir:
        git = KillingGitServer(Path(folder) / "apps.git")
        git.commit({"apps/user-api.yaml": MANIFEST})
        with git.running():
            config = Path(folder) / "agent-gateway.yaml"
            gitops = {
                "cache_dir": f"{folder}/cache",
                "repositories": {"apps": {"url": git.url, "paths": ["apps/**/*.yaml"]}},
            }
            config.write_text(json.dumps({"runs": {"max_attempts": 10}, "plugins": {"gitops": gitops}}))
            victim = Victim(data_dir, config, served)
            try:
                await victim.start()
                yield Trial(victim, git, Rows(data_dir), chance)
            finally:
                victim.kill()
                await victim.http.aclose()


async def measure(kills: int, seed: int, served: Served | None = None, prepared: Path | None = None) -> Figures:
    """So many rounds, the points in turn; `prepared` is a data directory that is copied."""
    chosen = served or Served()
    async with a_trial(random.Random(seed), chosen, prepared or await prepare(chosen)) as trial:
        for number in range(kills):
            await trial.round(number, POINTS[number % len(POINTS)])
        return trial.figures


def main() -> int:
    """Print the figures; 1 when there was a fault."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    figures = asyncio.run(measure(arguments.kills, arguments.seed))
    print(f"kills {figures.kills.total()}: {dict(figures.kills)}")
    print(f"acknowledged turns {figures.acknowledged}, changes in Git {figures.changes}")
    ready = sorted(figures.ready)
    print(f"ready again: median {ready[len(ready) // 2]:.2f} s, slowest {ready[-1]:.2f} s")
    slow = [each for each in figures.ready if each > READY_LIMIT]
    for fault in figures.faults:
        print(f"FAULT {fault}")
    return bool(figures.faults or slow)


if __name__ == "__main__":
    sys.exit(main())
