"""Whole turns with language models: scripted servers stand for Ollama and vLLM at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from agent_gateway.intent import Intent
from agent_gateway.messages import Answer, Problem, Route
from agent_gateway.persona import Persona
from agent_gateway.testing import (
    Fault,
    GatewayClient,
    Reply,
    ScriptedModelServer,
    StaticClassifier,
    StaticKnowledge,
    gateway_for,
    passage,
)

EASY, HARD = "Where are the keys?", "Are the keys in the drawer, or why are the keys not in the drawer?"
KEYS = StaticKnowledge({"docs": [passage("The keys are in the drawer.", source="keys.md")]})
NORA = Persona(id="nora", port=30191, title="Librarian", prompt="You are nora.", collections=("docs",))


class ByLength(StaticClassifier):
    """Long messages are hard, short ones easy."""

    def predict(self, text: str, vector: Any, allowed: Sequence[str]) -> Intent:
        intent = super().predict(text, vector, allowed)
        if len(text) < 30:
            return intent
        return msgspec.structs.replace(intent, complexity="high", reasoning_depth=3, accuracy_requirement=2)


class House:
    """A gateway between the two servers."""

    def __init__(self, gateway: GatewayClient, ollama: ScriptedModelServer, vllm: ScriptedModelServer) -> None:
        self.gateway, self.ollama, self.vllm = gateway, ollama, vllm

    async def ask(self, message: str) -> Answer:
        return await self.gateway.ask("nora", message)

    async def stream(self, message: str) -> list[tuple[str, Any]]:
        events = await self.gateway.stream("nora", message)
        kinds = {"done": Answer, "error": Problem, "route": Route}
        return [(each.type, msgspec.json.decode(each.data, type=kinds.get(each.type, dict))) for each in events]


@asynccontextmanager
async def house(*, direct: bool, large: Sequence[Reply] = (), **models: Any) -> AsyncIterator[House]:
    """Small and medium on one server, large on the other."""
    small = Reply(text="In the drawer [1].")
    async with (
        ScriptedModelServer(models=("llama3:8b", "codellama:13b"), replies=[small]) as ollama,
        ScriptedModelServer(models=("big",), replies=large or [Reply(text="They are where they belong [1].")]) as vllm,
    ):
        local = {"direct": True, "address": ollama.openai_url} if direct else {"address": ollama.url}
        tiers: dict[str, Any] = {
            "small": [local],
            "medium": [local],
            "large": [{"model": "hosted_vllm/big", "address": vllm.openai_url, "direct": direct}],
        }
        settings = {"models": {"deadline_seconds": 8, **tiers, **models}}
        async with gateway_for(NORA, knowledge=KEYS, classifier=ByLength(), settings=settings) as gateway:
            yield House(gateway, ollama, vllm)


both = pytest.mark.parametrize("direct", [True, False], ids=["direct", "litellm"])


@both
async def test_an_easy_question_goes_to_small_a_hard_one_to_large_and_the_stream_says_why(direct: bool) -> None:
    async with house(direct=direct) as there:
        easy, hard = await there.stream(EASY), await there.stream(HARD)
        assert (len(there.ollama.requests), len(there.vllm.requests)) == (1, 1)
    for events, tier, model in ((easy, "small", "ollama_chat/llama3:8b"), (hard, "large", "hosted_vllm/big")):
        answer: Answer = events[-1][1]
        (decided,) = [
            data["result"]["route"] for kind, data in events if kind == "stage_finished" and data["stage"] == "route"
        ]
        assert (decided["tier"], decided["model"]) == (tier, model)
        assert f"calls for the {tier} tier" in decided["reason"]
        assert sum(decided["parts"].values()) == pytest.approx(decided["score"])
        assert answer.route is not None
        assert (answer.route.tier, answer.notices) == (tier, ())
        assert [each.source for each in answer.citations] == ["keys.md"]
        assert answer.usage is not None
        assert answer.usage.completion_tokens > 0
        assert "".join(data["text"] for kind, data in events if kind == "token") == answer.response
    assert (easy[-1][1].model, hard[-1][1].model) == ("slm", "llm")
    assert easy[-1][1].response == "In the drawer [1]."


@both
async def test_a_model_that_dies_in_mid_stream_is_one_clear_event_and_the_next_turn_falls_back(direct: bool) -> None:
    slow = Reply(text=["They ", "are ", "where ", "they ", "belong"], fault=Fault.CUT, pieces_before_fault=2)
    async with house(direct=direct, large=[slow]) as there:
        events = await there.stream(HARD)
        assert [kind for kind, _ in events if kind in {"done", "error"}] == ["error"]
        problem: Problem = events[-1][1]
        assert problem.code == "model_stream_cut"
        assert "hosted_vllm/big" in problem.detail
        assert problem.hint
        await there.vllm.stop()
        begun = time.monotonic()
        answer = await there.ask(HARD)
        assert time.monotonic() - begun < 3
        assert (answer.status, answer.model, answer.response) == ("completed", "slm", "In the drawer [1].")
        assert answer.route is not None
        assert answer.route.tier == "medium"
        assert "hosted_vllm/big" in answer.route.reason
        assert answer.notices == (answer.route.notice,)
        assert answer.route.notice.startswith("The large tier cannot answer: hosted_vllm/big")


@both
async def test_a_model_that_is_gone_is_fallen_back_from_in_the_same_turn(direct: bool) -> None:
    async with house(direct=direct) as there:
        await there.vllm.stop()
        events = await there.stream(HARD)
        answer: Answer = events[-1][1]
        assert answer.status == "completed"
        (changed,) = [data for kind, data in events if kind == "route"]
        assert answer.route == changed
        assert (changed.tier, changed.model) == ("medium", "ollama_chat/codellama:13b")
        (notice,) = answer.notices
        assert "hosted_vllm/big" in notice


@both
async def test_without_any_model_the_floor_answers_and_says_so(direct: bool) -> None:
    async with house(direct=direct) as there:
        await there.vllm.stop()
        await there.ollama.stop()
        for _ in range(2):
            answer = await there.ask(HARD)
            assert (answer.status, answer.model) == ("completed", "extractive")
            assert answer.response == "The keys are in the drawer. [1]"
            assert answer.route is not None
            assert answer.route.tier == "extractive"
            assert "sentences from the documents" in answer.route.reason
            assert "hosted_vllm/big" in " ".join(answer.notices)
            assert answer.notices[-1].endswith("so the answer is made of sentences from the documents.") or (
                answer.notices[-1].endswith("so this answer is made of sentences from the documents.")
            )
        await there.ollama.start()


async def test_a_server_that_comes_back_is_used_again() -> None:
    async with house(direct=True, breaker={"cooldown_seconds": 0.2}) as there:
        await there.vllm.stop()
        assert (await there.ask(HARD)).model == "slm"
        await there.vllm.start()
        await asyncio.sleep(0.3)
        assert (await there.ask(HARD)).model == "llm"
