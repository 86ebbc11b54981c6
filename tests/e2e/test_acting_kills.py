"""The benchmark of kills, small: one at each point."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks.acting_kills import POINTS, READY_LIMIT, measure
from benchmarks.gateway_process import Served

pytestmark = pytest.mark.server


async def test_a_change_is_made_once_wherever_the_gateway_is_killed(prepared_clone: Path) -> None:
    served = Served(personas=prepared_clone / "personas.yaml", plugins=prepared_clone / "plugins")
    figures = await measure(len(POINTS), 7, served, prepared_clone / "data")
    assert figures.faults == []
    assert figures.acknowledged == figures.changes == len(POINTS)
    assert set(figures.kills) == set(POINTS)
    assert max(figures.ready) < READY_LIMIT
