from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent_gateway.knowledge.lancedb_store import Store


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await Store.open(tmp_path / "db knowledge #1")
    yield opened
    opened.close()
