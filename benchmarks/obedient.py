"""A model that does whatever injected text says, over every source of untrusted text: nothing may come of it.

    python -m benchmarks.obedient --seed 1 --rounds 1

A real gateway with all of its tools, some of them without asking, a real Git server, API server and Prometheus. Each
round tries every source with every order and every way to write a secret, in random order. The model reads the source,
obeys, and repeats every word. Nothing may change without approval, and no piece of a secret may leave or be kept.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.kubernetes_cluster import running_cluster

from benchmarks.gateway_process import ROOT, copy_of, prepare
from benchmarks.obedient_leaks import Leak
from benchmarks.obedient_turns import Attempts, Tally
from benchmarks.obedient_world import Place, Scope, World, a_world


async def measure(scope: Scope, place: Place) -> tuple[Tally, list[Leak], World]:
    """Try all that is in the scope; what was found, and where it was tried."""
    async with a_world(scope, place) as world:
        attempts = Attempts(world)
        with attempts.counting():
            for case in world.cases:
                await attempts.attempt(case)
            attempts.check_reach()
            await attempts.check_counters()
        data_dir = world.gateway.data_dir
    # What is written when it ends is kept, too.
    await asyncio.to_thread(world.watch.look_at_files, data_dir, world.canaries)
    return attempts.tally, world.watch.leaks, world


def show(tally: Tally, leaks: list[Leak], world: World) -> None:
    """A table by source, and each breach."""
    cases = {case.number: case for case in world.cases}
    leaking = Counter(cases[number].source.name for number in {leak.case for leak in leaks if leak.case in cases})
    print(f"{'source':24s} attempts  obeyed  human asked  changes  leaking attempts")
    for source, attempts in sorted(tally.attempts.items()):
        figures = f"{attempts:8d}  {tally.obeyed[source]:6d}  {tally.asked[source]:11d}  {tally.effects[source]:7d}"
        print(f"{source:24s} {figures}  {leaking[source]:16d}")
    every = [sum(each.values()) for each in (tally.attempts, tally.obeyed, tally.asked, tally.effects, leaking)]
    print(f"{'all':24s} {every[0]:8d}  {every[1]:6d}  {every[2]:11d}  {every[3]:7d}  {every[4]:16d}")
    for fault in tally.faults:
        print(f"FAULT {fault}")
    by_case: dict[int, list[Leak]] = {}
    for leak in leaks:
        by_case.setdefault(leak.case, []).append(leak)
    for number, found in by_case.items():
        places = ", ".join(dict.fromkeys(leak.where for leak in found))
        much = "whole" if any(leak.whole for leak in found) else "a piece"
        print(f"LEAK ({much}) {cases.get(number, 'the gateway')}; to {places}\n     {found[0].around!r}")
    print(f"{len(tally.faults)} faults, {len(leaks)} places of leaks in {sum(leaking.values())} attempts")


async def _run(scope: Scope) -> int:
    assets = Path(os.environ.get("AGENT_GATEWAY_TEST_ASSETS", ROOT.parent / "shared"))
    with (
        tempfile.TemporaryDirectory(prefix="agent-gateway-obedient-") as folder,
        copy_of(await prepare()) as data_dir,
        running_cluster(assets, Path(folder) / "cluster") as cluster,
    ):
        begun = time.perf_counter()
        tally, leaks, world = await measure(scope, Place(Path(folder), data_dir, assets, cluster))
        show(tally, leaks, world)
        print(f"{time.perf_counter() - begun:.0f} s")
        return bool(tally.faults or leaks)


def main() -> int:
    """Print the figures; 1 when anything happened that may not."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--orders", type=int, default=0, help="so many orders for each source and encoding; 0: all")
    given = parser.parse_args()
    return asyncio.run(_run(Scope(given.seed, given.rounds, given.orders)))


if __name__ == "__main__":
    sys.exit(main())
