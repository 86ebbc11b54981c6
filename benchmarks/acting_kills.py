"""kill -9 at every point of a run that changes something: the change is made once, and nothing that was said is lost.

    python -m benchmarks.acting_kills --kills 200 --seed 1

A real gateway, a real Git server and a real API server. Each round asks for a change, in Git ("set kiln-api to N
replicas") and in the cluster ("restart the api deployment") in turn, approves it, and kills the gateway at one of the
points; then a new one starts on the same data, and the round must come to its end.
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
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from tests.kubernetes_cluster import KubernetesCluster, running_cluster, write_kubeconfig

from benchmarks.acting_world import FILE, GIT_APP, MANIFEST, KillingCluster, KillingGitServer, Rows, World
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
    changes: Counter[str] = field(default_factory=Counter)


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

    def __init__(self, victim: Victim, worlds: Sequence[World], rows: Rows, chance: random.Random) -> None:
        self._victim, self._worlds, self._rows, self._chance = victim, worlds, rows, chance
        self.figures = Figures()

    async def round(self, number: int, point: str) -> None:
        """Ask, approve, kill at a point, start again, and see it end."""
        figures = self.figures
        world = self._worlds[number % len(self._worlds)]
        before = await asyncio.to_thread(world.made)
        answer = (await self._victim.http.post("/v1/chat", json={"message": world.message(number)})).json()
        if answer["status"] != "waiting":
            figures.faults.append(f"round {number}: not asked, but {answer['status']}: {answer['response'][:200]}")
            return
        figures.acknowledged += 1
        run_id, approval = answer["run_id"], answer["approvals"][0]["id"]
        await self._kill_at(point, world, run_id, approval)
        figures.kills[point] += 1
        figures.ready.append(await self._victim.start())
        await self._settle(number, point, run_id)
        made = await asyncio.to_thread(world.made) - before
        figures.changes[world.name] += made
        fault = await asyncio.to_thread(world.fault, number)
        if made != 1 or fault:
            figures.faults.append(f"round {number} ({world.name}, {point}): made {made} times; {fault}")

    async def _kill_at(self, point: str, world: World, run_id: str, approval: str) -> None:
        dead = asyncio.Event()
        loop = asyncio.get_running_loop()

        def kill() -> None:
            self._victim.kill()
            loop.call_soon_threadsafe(dead.set)

        if point == "waiting":
            kill()
            return
        world.arm(kill if point == "before the effect" else None, kill if point == "after the effect" else None)
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
        world.arm(None, None)
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
            if run.get("status") not in {"running", "waiting", "interrupted"}:
                self.figures.faults.append(f"round {number} ({point}): it ended otherwise: {run}")
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
        self.figures.faults.append(f"round {number} ({point}): the run never ended: {run}; waiting: {mine}")


@asynccontextmanager
async def a_trial(
    chance: random.Random, served: Served, prepared: Path, cluster: KubernetesCluster
) -> AsyncIterator[Trial]:
    """A Git server and a cluster with one application each, and a gateway that may change them."""
    with tempfile.TemporaryDirectory(prefix="agent-gateway-kills-") as folder, copy_of(prepared) as data_dir:
        git = KillingGitServer(Path(folder) / "apps.git")
        git.commit({FILE: MANIFEST.replace("user-api", GIT_APP)})
        with git.running():
            config = Path(folder) / "agent-gateway.yaml"
            gitops = {
                "cache_dir": f"{folder}/cache",
                "repositories": {"apps": {"url": git.url, "paths": ["apps/**/*.yaml"]}},
            }
            kubeconfig = write_kubeconfig(Path(folder) / "kubeconfig", {"air": (cluster, "admin")})
            settings: dict[str, Any] = {"runs": {"max_attempts": 10}, "plugins": {"gitops": gitops}}
            config.write_text(json.dumps({**settings, "clusters": {"kubeconfig": str(kubeconfig)}}))
            victim = Victim(data_dir, config, served)
            worlds = (git, await asyncio.to_thread(KillingCluster, cluster))
            try:
                await victim.start()
                yield Trial(victim, worlds, Rows(data_dir), chance)
            finally:
                cluster.meddle = None
                victim.kill()
                await victim.http.aclose()


async def measure(
    kills: int, seed: int, cluster: KubernetesCluster, served: Served | None = None, prepared: Path | None = None
) -> Figures:
    """So many rounds, the points in turn; `prepared` is a data directory that is copied."""
    chosen = served or Served()
    async with a_trial(random.Random(seed), chosen, prepared or await prepare(chosen), cluster) as trial:
        for number in range(kills):
            await trial.round(number, POINTS[number % len(POINTS)])
        return trial.figures


def main() -> int:
    """Print the figures; 1 when there was a fault."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    assets = Path(os.environ.get("AGENT_GATEWAY_TEST_ASSETS", ROOT.parent / "shared"))
    with (
        tempfile.TemporaryDirectory(prefix="agent-gateway-kills-cluster-") as folder,
        running_cluster(assets, Path(folder)) as cluster,
    ):
        figures = asyncio.run(measure(arguments.kills, arguments.seed, cluster))
    print(f"kills {figures.kills.total()}: {dict(figures.kills)}")
    print(f"acknowledged turns {figures.acknowledged}, changes {dict(figures.changes)}")
    ready = sorted(figures.ready)
    print(f"ready again: median {ready[len(ready) // 2]:.2f} s, slowest {ready[-1]:.2f} s")
    slow = [each for each in figures.ready if each > READY_LIMIT]
    for fault in figures.faults:
        print(f"FAULT {fault}")
    return bool(figures.faults or slow)


if __name__ == "__main__":
    sys.exit(main())
