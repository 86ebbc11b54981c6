"""What was asked before is shown beside an answer, and no model reads it."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.turn_house import stock

from agent_gateway.client import PersonaClient
from agent_gateway.gateway import Parts
from agent_gateway.messages import Answer
from agent_gateway.persona import Persona
from agent_gateway.server.hosting import open_house
from agent_gateway.testing import GatewayClient, HashingEncoder, Reply, ScriptedModelServer, StaticClassifier
from agent_gateway.testing.gateway import WrittenPersonas, configure, register

NORA = Persona(id="nora", port=1, title="Engineer", prompt="Help.", collections=("docs",))
DOCUMENTS = {"docs": {"drain.md": "# Draining\n\nTo drain a node takes ten minutes. First cordon the node.\n"}}
ASKED = "How long does it take to drain a node?"
AGAIN = "How long does it take to drain the node now?"
REMEMBERED = "The zeppelin of the mayor lands at noon [1]."


def a_key(name: str) -> str:
    return f"agw_{name}_{'x' * 40}"


class House:
    """A gateway whose model first says something that stands nowhere else."""

    def __init__(self, gateway: GatewayClient, model: ScriptedModelServer) -> None:
        self.gateway, self.model = gateway, model

    async def ask(self, owner: str, message: str) -> Answer:
        async with PersonaClient(self.gateway.url("nora"), a_key(owner)) as client:
            return await client.ask(message)

    async def ask_after_remembering(self, owner: str, message: str) -> Answer:
        """Ask once the first answer is in the knowledge base."""
        stocked = self.gateway.house.gateway._stock
        assert stocked is not None
        async with asyncio.timeout(10):
            while True:
                if (await stocked.store.load_interactions()).interactions:
                    break
                await asyncio.sleep(0.05)
        return await self.ask(owner, message)


@asynccontextmanager
async def house(folder: Path, *, share: bool) -> AsyncIterator[House]:
    await stock(folder, DOCUMENTS)
    callers = {
        name: {"key_sha256": hashlib.sha256(a_key(name).encode()).hexdigest(), "roles": ["operator"]}
        for name in ("ann", "bob")
    }
    replies = [Reply(text=REMEMBERED), Reply(text="Ten minutes [1].")]
    async with ScriptedModelServer(models=("small",), replies=replies) as model:
        settings: dict[str, Any] = {
            "auth": {"callers": callers},
            "knowledge": {"share_memories": share},
            "models": {"small": [{"direct": True, "address": model.openai_url, "model": "openai/small"}]},
        }
        configuration = configure(folder, (), settings)
        registry = register(configuration, [WrittenPersonas([NORA])])
        parts = Parts(encoder=HashingEncoder(), classifier=StaticClassifier())
        with open_house(configuration, registry, parts=parts) as opened:
            async with opened.served():
                yield House(GatewayClient(opened), model)


@pytest.mark.parametrize(
    ("owner", "share", "seen"),
    [("ann", False, True), ("ann", True, True), ("bob", True, True), ("bob", False, False)],
)
async def test_a_remembered_answer_never_gets_into_a_prompt(
    tmp_path: Path, owner: str, share: bool, seen: bool
) -> None:
    async with house(tmp_path, share=share) as there:
        first = await there.ask("ann", ASKED)
        assert "zeppelin" in first.response
        second = await there.ask_after_remembering(owner, AGAIN)
        prompts = [json.dumps(each.body, ensure_ascii=False) for each in there.model.requests]
    shown = [(each.question, each.sources) for each in second.asked_before]
    assert shown == ([(ASKED, ("drain.md",))] if seen else [])
    assert [each.run_id for each in second.asked_before] == ([first.run_id if owner == "ann" else ""] if seen else [])
    assert second.response == "Ten minutes [1]."
    assert len(prompts) == 2
    assert AGAIN in prompts[1]
    assert "To drain a node takes ten minutes." in prompts[1]
    for part in ("zeppelin", ASKED, first.run_id):
        assert part not in prompts[1]
