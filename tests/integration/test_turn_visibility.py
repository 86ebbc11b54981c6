"""Who finds what, through every door of a whole gateway."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from tests.turn_house import persona_http

import agent_gateway as ag
from agent_gateway.testing import GatewayClient, StaticKnowledge, gateway_for, passage

SECRET = "The root password of studio is hunter2."
QUESTION = "What is the root password of studio?"


async def pry(state: ag.TurnState, context: ag.Context) -> ag.TurnState:
    """Ask for what is not one's own."""
    query = ag.SearchQuery(text=state["message"], collections=("internal", "nobodys", "customer"), limit=100)
    found = await context.search(query)
    return {"response": " ".join(each.text for each in found.passages), "citations": ()}


BRUNO = ag.Persona(id="bruno", port=1, title="Engineer", prompt="Help.", collections=("internal",))
MARY = ag.Persona(id="mary-kay", port=2, title="Shop", prompt="Help.", collections=("customer",), collections_only=True)
PRYING = ag.Persona(
    id="paula", port=3, title="Pry", prompt="P", collections=("customer",), collections_only=True, stages={"act": pry}
)


@pytest.fixture
async def gateway() -> AsyncIterator[GatewayClient]:
    held = {
        "internal": [passage(SECRET, source="secrets.md")],
        "nobodys": [passage(f"Nobody knows this. {SECRET}", source="found.md")],
        "customer": [passage("A refund takes five days.", source="refund.md")],
    }
    async with gateway_for(BRUNO, MARY, PRYING, knowledge=StaticKnowledge(held)) as gateway:
        yield gateway


async def test_with_collections_only_a_turn_finds_nothing_else(gateway: GatewayClient) -> None:
    answer = await gateway.ask("mary-kay", QUESTION)
    assert answer.response == "This is not in my knowledge base: I found no answer in customer."
    assert (answer.citations, answer.context_used) == ((), 0)
    refund = await gateway.ask("mary-kay", "How long takes a refund?")
    assert refund.response == "A refund takes five days. [1]"


async def test_a_stage_that_pries_finds_nothing_else_either(gateway: GatewayClient) -> None:
    answer = await gateway.ask("paula", f"{QUESTION} And a refund?")
    assert answer.response == "A refund takes five days."


@pytest.mark.parametrize(("collection", "status"), [("customer", 200), ("internal", 404), ("nobodys", 404)])
async def test_with_collections_only_the_search_door_finds_nothing_else(
    gateway: GatewayClient, collection: str, status: int
) -> None:
    async with persona_http(gateway, "mary-kay") as http:
        response = await http.post("/v1/search", json={"query": QUESTION, "collection": collection})
    assert response.status_code == status
    assert "hunter2" not in response.text
    assert status == 200 or (response.json()["code"], response.json()["hint"]) == (
        "collection_not_found",
        "there are: customer",
    )


async def test_others_find_their_own_and_what_is_nobody_s(gateway: GatewayClient) -> None:
    answer = await gateway.ask("bruno", QUESTION)
    assert {citation.source for citation in answer.citations} <= {"secrets.md", "found.md"}
    assert SECRET in answer.response
    async with persona_http(gateway, "bruno") as http:
        for collection, status in (("internal", 200), ("nobodys", 200), ("customer", 404)):
            response = await http.post("/v1/search", json={"query": QUESTION, "collection": collection})
            assert response.status_code == status


async def test_what_a_persona_may_search_is_what_it_says(gateway: GatewayClient) -> None:
    found = {}
    for persona in ("bruno", "mary-kay"):
        async with persona_http(gateway, persona) as http:
            found[persona] = (await http.get("/v1/persona")).json()["collections"]
    assert sorted(found["bruno"]) == ["internal", "nobodys"]
    assert found["mary-kay"] == ["customer"]
