"""Two people at one gateway: what belongs to one does not exist for the other."""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from agent_gateway.hookspecs import hookimpl
from agent_gateway.persona import Persona
from agent_gateway.testing import gateway_for
from agent_gateway.tool import Tool, Warrant, tool

NORA = Persona(id="nora", title="Nora", prompt="Help.", port=30199, tools=("switch",))


def a_key(name: str) -> str:
    return f"agw_{name}_{'x' * 40}"


def caller(name: str, *roles: str) -> dict[str, object]:
    return {"key_sha256": hashlib.sha256(a_key(name).encode()).hexdigest(), "roles": list(roles)}


@asynccontextmanager
async def two_people() -> AsyncIterator[dict[str, httpx.AsyncClient]]:
    callers = {"alice": caller("alice", "operator"), "bob": caller("bob", "operator")}
    async with gateway_for(NORA, plugins=[Switches()], settings={"auth": {"callers": callers}}) as gateway:
        people = {
            name: httpx.AsyncClient(
                base_url=gateway.url("nora"), headers={"authorization": f"Bearer {a_key(name)}"}, trust_env=False
            )
            for name in callers
        }
        try:
            yield people
        finally:
            for each in people.values():
                await each.aclose()


class Switches:
    """A plugin with a tool that changes something."""

    @hookimpl
    def register_tools(self) -> list[Tool]:
        """Add it."""

        async def switch(on: bool, warrant: Warrant) -> str:
            """Switch the lamp."""
            del warrant
            return f"on is {on}"

        return [tool(switch, effect="write")]


def unnamed(response: httpx.Response, name: str) -> tuple[int, str]:
    """A refusal without the id that was asked for and the request's own."""
    text = response.text.replace(name, "ID")
    return response.status_code, re.sub(r'"request_id":"[^"]*"', "", text)


@pytest.mark.parametrize("kind", ["runs", "conversations"])
async def test_what_is_another_s_is_told_as_what_never_was(kind: str) -> None:
    async with two_people() as people:
        answer = (await people["alice"].post("/v1/chat", json={"message": "hello"})).json()
        own = answer["run_id"] if kind == "runs" else answer["conversation_id"]
        absent = own[:-4] + "zzzz"
        assert (await people["alice"].get(f"/v1/{kind}/{own}")).status_code == 200
        foreign = await people["bob"].get(f"/v1/{kind}/{own}")
        never = await people["bob"].get(f"/v1/{kind}/{absent}")
        assert unnamed(foreign, own) == unnamed(never, absent)
        assert foreign.status_code == 404


async def test_the_list_of_conversations_is_one_s_own() -> None:
    async with two_people() as people:
        await people["alice"].post("/v1/chat", json={"message": "hello"})
        assert (await people["bob"].get("/v1/conversations")).json()["conversations"] == []
        assert len((await people["alice"].get("/v1/conversations")).json()["conversations"]) == 1
