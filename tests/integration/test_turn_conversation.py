"""Conversations through a whole gateway: what was said before counts where it should, and only there."""

from __future__ import annotations

import asyncio

import pytest
from tests.turn_house import data_of, persona_http

import agent_gateway as ag
from agent_gateway.interfaces import GenerationRequest
from agent_gateway.messages import Answer
from agent_gateway.persona import STAGES
from agent_gateway.testing import ScriptedModel, StaticClassifier, StaticKnowledge, gateway_for, passage

NORA = ag.Persona(id="nora", port=1, title="Engineer", prompt="Help.", collections=("docs",))
OTTO = ag.Persona(id="otto", port=2, title="Other", prompt="Help.", collections=("docs",))
FIRST = "How do I drain a node?"


@pytest.fixture
def knowledge() -> StaticKnowledge:
    return StaticKnowledge(
        {
            "docs": [
                passage("To drain a node one needs ten minutes. First cordon the node.", source="drain.md"),
                passage("Certificates renew themselves every sixty days.", source="certificates.md"),
            ]
        }
    )


def sources(answer: Answer) -> list[str]:
    return [citation.source for citation in answer.citations]


async def test_the_second_question_is_understood_in_context(knowledge: StaticKnowledge) -> None:
    async with gateway_for(NORA, knowledge=knowledge) as gateway:
        first = await gateway.ask("nora", FIRST)
        second = await gateway.ask("nora", "and how long does that take?", first.conversation_id)
        stranger = await gateway.ask("nora", "and how long does that take?")
    assert sources(first) == sources(second) == ["drain.md"]
    assert "To drain a node one needs ten minutes. [1]" in second.response
    assert knowledge.queries[1].text == f"{FIRST}\nand how long does that take?"
    # The same words in a conversation of their own are about nothing.
    assert sources(stranger) == []
    assert stranger.response.startswith("This is not in my knowledge base")


@pytest.mark.parametrize(
    ("message", "cited"),
    [("Which certificates renew themselves?", ["certificates.md"]), ("Who won the cup final?", [])],
)
async def test_a_new_question_is_not_dragged_to_the_old_topic(
    knowledge: StaticKnowledge, message: str, cited: list[str]
) -> None:
    async with gateway_for(NORA, knowledge=knowledge) as gateway:
        first = await gateway.ask("nora", FIRST)
        second = await gateway.ask("nora", message, first.conversation_id)
    assert sources(second) == cited
    assert "drain" not in second.response


async def test_thanks_after_an_answer_are_just_that(knowledge: StaticKnowledge) -> None:
    async with gateway_for(NORA, knowledge=knowledge, classifier=StaticClassifier("chat")) as gateway:
        first = await gateway.ask("nora", "hello")
        second = await gateway.ask("nora", "thanks!", first.conversation_id)
        more = await gateway.ask("nora", "tell me more about how to drain a node", first.conversation_id)
    assert first.response.startswith("Hello! I am nora, engineer.")
    assert (second.response, second.context_used) == ("You are welcome.", 0)
    assert sources(more) == ["drain.md"]


async def test_a_conversation_is_kept_with_its_turns(knowledge: StaticKnowledge) -> None:
    async with gateway_for(NORA, OTTO, knowledge=knowledge) as gateway:
        first = await gateway.ask("nora", FIRST)
        await gateway.ask("nora", "and how long does that take?", first.conversation_id)
        async with persona_http(gateway, "nora") as http, persona_http(gateway, "otto") as other:
            path = f"/v1/conversations/{first.conversation_id}"
            kept = (await http.get(path)).json()
            refused = await other.get(path)
            with pytest.raises(ag.GatewayError) as raised:
                await gateway.ask("otto", "what about me?", first.conversation_id)
    assert [turn["message"] for turn in kept["turns"]] == [FIRST, "and how long does that take?"]
    assert kept["turns"][0]["answer"]["response"] == first.response
    assert (refused.status_code, refused.json()["code"]) == (404, "conversation_not_found")
    assert raised.value.code == "conversation_not_found"


async def test_turns_of_one_conversation_follow_each_other() -> None:
    model = ScriptedModel(["fine"])
    async with gateway_for(NORA, model=model) as gateway:
        first = await gateway.ask("nora", "message 0")
        await asyncio.gather(*(gateway.ask("nora", f"message {n}", first.conversation_id) for n in range(1, 6)))
    lengths = [len(request.history) for request in model.requests if isinstance(request, GenerationRequest)]
    assert lengths == [0, 1, 2, 3, 4, 5]


async def test_a_stream_tells_the_whole_turn_in_order(knowledge: StaticKnowledge) -> None:
    async with gateway_for(NORA, knowledge=knowledge) as gateway:
        events = await gateway.stream("nora", FIRST)
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert (events[0].type, events[-1].type) == ("run_started", "done")
    assert len([event for event in events if event.terminal]) == 1
    assert [each["stage"] for each in data_of(events, "stage_started")] == list(STAGES)
    assert [each["stage"] for each in data_of(events, "stage_finished")] == list(STAGES)
    (done,) = data_of(events, "done")
    assert "".join(each["text"] for each in data_of(events, "token")) == done["response"]
    assert data_of(events, "citation") == done["citations"]
    assert (done["route"]["tier"], done["model"], done["status"]) == ("extractive", "extractive", "completed")
    assert done["intent"]["category"] == "query"
    types = [event.type for event in events]
    assert types.index("token") < types.index("citation") < types.index("done")
