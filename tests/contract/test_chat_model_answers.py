"""What a good answer looks like, from scripted servers and from real ones.

`AGENT_GATEWAY_TEST_OPENAI_URL` and `_MODEL`, `AGENT_GATEWAY_TEST_OLLAMA_URL` and `_MODEL` name real ones.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import msgspec
import pytest
from tests.contract.chat_model_doors import (
    DOORS,
    SCHEMA,
    Door,
    RealServer,
    a_request,
    collect,
    opened,
    real_servers,
    text_of,
)

from agent_gateway.completion import ChatModel
from agent_gateway.testing import Reply, ScriptedModelServer

WAYS: Sequence[Door | RealServer] = (*DOORS, *real_servers())
pytestmark = pytest.mark.parametrize("way", WAYS, ids=str)


@asynccontextmanager
async def model_behind(way: Door | RealServer, reply: Reply) -> AsyncIterator[ChatModel]:
    """A model: a real one, or one that gives this reply."""
    if isinstance(way, RealServer):
        model = way.door.open(way.address, name=way.name)
        try:
            yield model
        finally:
            await model.close()
    else:
        async with opened(way, ScriptedModelServer(replies=[reply])) as model:
            yield model


async def test_an_answer_has_text_then_one_end_then_its_usage(way: Door | RealServer) -> None:
    async with model_behind(way, Reply("A pod is a group of containers.")) as model:
        chunks = await collect(model, a_request("What is a pod?", max_tokens=200))
    ends = [place for place, chunk in enumerate(chunks) if chunk.finish]
    usages = [chunk.usage for chunk in chunks if chunk.usage]
    assert text_of(chunks[: ends[0] + 1]).strip()
    assert [chunks[place].finish for place in ends] in (["stop"], ["length"])
    assert all(not chunk.text for chunk in chunks[ends[0] + 1 :])
    (usage,) = usages
    assert usage.prompt_tokens > 0
    assert usage.completion_tokens > 1
    assert not usage.estimated


async def test_an_answer_ends_where_its_tokens_do(way: Door | RealServer) -> None:
    async with model_behind(way, Reply("One, two, three,", finish="length")) as model:
        chunks = await collect(model, a_request("Count to a hundred, in words.", max_tokens=3))
    assert [chunk.finish for chunk in chunks if chunk.finish] == ["length"]


async def test_an_answer_follows_its_schema(way: Door | RealServer) -> None:
    async with model_behind(way, Reply('{"n": 7}')) as model:
        chunks = await collect(model, a_request("Give a small number.", schema=SCHEMA, max_tokens=300, temperature=0.0))
    assert isinstance(msgspec.json.decode(text_of(chunks))["n"], int)


async def test_a_model_answers_one_question_after_the_other(way: Door | RealServer) -> None:
    async with model_behind(way, Reply("Hello.")) as model:
        for _ in range(2):
            assert text_of(await collect(model, a_request("Say hello.", max_tokens=20))).strip()
