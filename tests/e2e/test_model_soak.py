"""The soak benchmark, made short: models fail in every known way, and every turn still ends, once and in time."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks.gateway_process import Served
from benchmarks.model_soak import measure

pytestmark = [pytest.mark.server, pytest.mark.timeout(300)]


async def test_every_turn_ends_once_and_nothing_is_left_behind_whatever_the_models_do(prepared_clone: Path) -> None:
    served = Served(personas=prepared_clone / "personas.yaml", plugins=prepared_clone / "plugins")
    outcome = await measure(9, 0.3, 1, served, prepared_clone / "data")
    assert outcome.faults == []
    figures = {each.name: each.value for each in outcome.figures}
    assert figures["turns"] > 20
    assert figures["faults injected"] > 5
    assert any("slm" in name or "llm" in name for name in outcome.ends), outcome.ends
