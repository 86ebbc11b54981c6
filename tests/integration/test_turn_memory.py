"""Turns over a real store on disk: documents are searched, questions are remembered, and both survive a restart."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from tests.turn_house import persona_http, stock, stocked_gateway

import agent_gateway as ag
from agent_gateway.messages import Answer
from agent_gateway.testing import GatewayClient

NORA = ag.Persona(id="nora", port=1, title="Engineer", prompt="Help.", collections=("docs",))
OTTO = ag.Persona(id="otto", port=2, title="Other", prompt="Help.", collections=("docs",))
DOCUMENTS = {
    "docs": {
        "drain.md": "# Draining\n\nTo drain a node takes ten minutes. First cordon the node.\n",
        "backup.md": "# Backups\n\nBackups run every night. A restore takes an hour.\n",
    }
}
QUESTION = "How long does it take to drain a node?"


async def ask_until(
    gateway: GatewayClient, persona: str, question: str, done: Callable[[Answer], bool], patience: float = 10
) -> Answer:
    """Ask again until the knowledge base has caught up: it is written behind the reply."""
    async with asyncio.timeout(patience):
        while True:
            answer = await gateway.ask(persona, question)
            if done(answer):
                return answer
            await asyncio.sleep(0.05)


async def test_documents_of_the_store_are_cited(tmp_path: Path) -> None:
    await stock(tmp_path, DOCUMENTS)
    async with stocked_gateway(tmp_path, NORA) as gateway:
        answer = await gateway.ask("nora", QUESTION)
        async with persona_http(gateway, "nora") as http:
            found = (await http.post("/v1/search", json={"query": "restore", "collection": "docs", "limit": 1})).json()
    assert "To drain a node takes ten minutes. [1]" in answer.response
    assert answer.citations[0].source == "drain.md"
    assert 0 < answer.citations[0].score <= 1
    assert [each["source"] for each in found["passages"]] == ["backup.md"]


async def test_a_question_that_was_asked_before_is_pointed_out_also_after_a_restart(tmp_path: Path) -> None:
    await stock(tmp_path, DOCUMENTS)
    async with stocked_gateway(tmp_path, NORA, OTTO) as gateway:
        first = await gateway.ask("nora", QUESTION)
        assert first.asked_before == ()
        second = await ask_until(gateway, "nora", QUESTION, lambda answer: bool(answer.asked_before))
        assert second.asked_before[0].question == QUESTION
        assert second.asked_before[0].sources == ("drain.md",)
        # It supports no claim: the answer and its citations are the same.
        assert (second.response, second.citations) == (first.response, first.citations)
        assert (await gateway.ask("otto", QUESTION)).asked_before == ()
    async with stocked_gateway(tmp_path, NORA, OTTO) as gateway:
        again = await gateway.ask("nora", QUESTION)
        other = await gateway.ask("nora", "How long does a restore take?")
    assert first.run_id in {each.run_id for each in again.asked_before}
    assert other.asked_before == ()


async def test_what_was_asked_makes_nothing_answerable(tmp_path: Path) -> None:
    await stock(tmp_path, DOCUMENTS)
    question = "What does the zeppelin of the mayor cost?"
    async with stocked_gateway(tmp_path, NORA) as gateway:
        answers = [await gateway.ask("nora", question) for _ in range(3)]
        async with persona_http(gateway, "nora") as http:
            refused = await http.post("/v1/search", json={"query": question, "collection": "agent-interactions"})
    assert {answer.response for answer in answers} == {"This is not in my knowledge base: I found no answer in docs."}
    assert refused.status_code == 404


async def test_a_deleted_conversation_is_forgotten_for_good(tmp_path: Path) -> None:
    await stock(tmp_path, DOCUMENTS)
    async with stocked_gateway(tmp_path, NORA) as gateway:
        first = await gateway.ask("nora", QUESTION)
        seen = await ask_until(gateway, "nora", QUESTION, lambda answer: bool(answer.asked_before))
        async with persona_http(gateway, "nora") as http:
            for kept in (await http.get("/v1/conversations")).json()["conversations"]:
                assert (await http.delete(f"/v1/conversations/{kept['id']}")).status_code == 204
            assert (await http.get(f"/v1/runs/{first.run_id}")).status_code == 404
        await ask_until(
            gateway,
            "nora",
            QUESTION,
            lambda answer: {first.run_id, seen.run_id}.isdisjoint(each.run_id for each in answer.asked_before),
        )
    async with stocked_gateway(tmp_path, NORA) as gateway:
        again = await gateway.ask("nora", QUESTION)
    assert {first.run_id, seen.run_id}.isdisjoint(each.run_id for each in again.asked_before)


async def test_a_reply_does_not_wait_for_the_knowledge_base(tmp_path: Path) -> None:
    await stock(tmp_path, DOCUMENTS)
    async with stocked_gateway(tmp_path, NORA) as gateway:
        stocked = gateway.house.gateway._stock
        assert stocked is not None
        async with stocked.store.tables.writing("agent-interactions"):
            async with asyncio.timeout(10):
                answers = [await gateway.ask("nora", QUESTION) for _ in range(3)]
            assert all(answer.status == "completed" for answer in answers)
            assert all(answer.asked_before == () for answer in answers)
        await ask_until(gateway, "nora", QUESTION, lambda answer: len(answer.asked_before) == 3)
