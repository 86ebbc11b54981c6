from __future__ import annotations

import pytest

from agent_gateway.errors import Conflict
from agent_gateway.gateway.fixed import FixedIngestion
from agent_gateway.interfaces import Forgetting
from agent_gateway.testing import StaticKnowledge, passage


@pytest.fixture
def fixed() -> FixedIngestion:
    return FixedIngestion(StaticKnowledge({"docs": (passage("One."), passage("Two.", chunk=1))}))


async def test_what_was_brought_along_can_be_listed(fixed: FixedIngestion) -> None:
    (info,) = await fixed.collections()
    assert (info.name, info.documents, info.chunks) == ("docs", 1, 2)


async def test_what_was_brought_along_cannot_be_changed(fixed: FixedIngestion) -> None:
    with pytest.raises(Conflict) as raised:
        async for _ in fixed.ingest("docs", "docs"):
            pass
    assert raised.value.code == "knowledge_fixed"
    with pytest.raises(Conflict) as raised:
        await fixed.drop("docs")
    assert raised.value.code == "knowledge_fixed"
    with pytest.raises(Conflict) as raised:
        await fixed.forget(Forgetting(source="*"))
    assert raised.value.code == "knowledge_fixed"
