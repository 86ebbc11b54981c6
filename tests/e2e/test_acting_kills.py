"""The benchmark of kills, small: one at each point."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks.acting_kills import POINTS, READY_LIMIT, measure
from benchmarks.gateway_process import Served
from tests.kubernetes_cluster import KubernetesCluster

pytestmark = [pytest.mark.server, pytest.mark.timeout(400)]


async def test_a_change_is_made_once_wherever_the_gateway_is_killed(
    prepared_clone: Path, control_plane: KubernetesCluster
) -> None:
    served = Served(personas=prepared_clone / "personas.yaml", plugins=prepared_clone / "plugins")
    figures = await measure(len(POINTS), 7, control_plane, served, prepared_clone / "data")
    assert figures.faults == []
    assert figures.acknowledged == figures.changes.total() == len(POINTS)
    assert set(figures.changes) == {"Git", "Kubernetes"}
    assert set(figures.kills) == set(POINTS)
    assert max(figures.ready) < READY_LIMIT
