"""Whatever goes wrong at a model's server, a turn ends in time, with exactly one `done` or `error`."""

from __future__ import annotations

import asyncio
import socket
import time

import pytest
from tests.integration.turn_endings import Ending, end_of

from agent_gateway.completion import ModelSpec, Timeouts
from agent_gateway.events import TERMINAL_TYPES
from agent_gateway.messages import Answer, Problem
from agent_gateway.persona import Persona
from agent_gateway.testing import (
    Fault,
    ModelCall,
    Reply,
    ScriptedModelServer,
    StaticKnowledge,
    gateway_for,
    passage,
)

DEADLINE = 4.0
#: What a turn needs besides on a machine that is busy with other tests.
SLACK = 6.0
REFUSED = "refused"
KEYS = StaticKnowledge({"docs": [passage("The keys are in the drawer.", source="keys.md")]})
FLOOR = "The keys are in the drawer. [1]"
WORDS = ["They ", "are ", "in ", "the ", "drawer ", "[1]."]
#: Faults after which something had been said: the turn ends in an error that says so. The others end in an answer.
IN_THE_MIDDLE = {
    Fault.STALL: "model_timeout",
    Fault.MALFORMED_JSON: "model_malformed",
    Fault.HALF_UTF8: "model_malformed",
    Fault.HUGE_LINE: "model_malformed",
    Fault.NO_TERMINAL: "model_stream_cut",
    Fault.CUT: "model_stream_cut",
}
#: With these the server answers after all: at the second try, without what it refuses, or in spite of it.
HARMLESS = {Fault.TWO_TERMINALS, Fault.NO_TOOLS, Fault.NO_SCHEMA}


def reply(call: ModelCall) -> Reply:
    """The model's name is its fault."""
    if call.model == Fault.CUT_TOOL_CALL:
        return Reply(tool_calls=[("knowledge_search", {"query": "keys"})], fault=Fault.CUT_TOOL_CALL)
    return Reply(WORDS, fault=Fault(call.model), pieces_before_fault=2, retry_after=30)


def persona(name: str, number: int, address: str, provider: str, *, direct: bool) -> Persona:
    spec = ModelSpec(
        model=f"{provider}/{name}",
        address=address,
        direct=direct,
        timeouts=Timeouts(connect=0.5, first=1.0, stall=0.5, queue=1.0),
    )
    own = name.replace("_", "-")
    return Persona(
        id=f"p-{own}",
        port=21_000 + number,
        title=own,
        prompt="Answer.",
        collections=("docs",),
        models={"small": (spec,)},
        tiers=("small",),
    )


def unused_address() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}/v1"


@pytest.mark.parametrize(
    ("provider", "direct"), [("hosted_vllm", True), ("hosted_vllm", False), ("ollama_chat", False)],
    ids=["direct", "litellm-vllm", "litellm-ollama"],
)  # fmt: skip
async def test_every_fault_ends_in_one_answer_or_one_clear_error_in_time(provider: str, direct: bool) -> None:
    names = [fault.value for fault in Fault]
    async with ScriptedModelServer(models=names, replies=reply) as server:
        address = server.url if provider == "ollama_chat" else server.openai_url
        personas = [persona(name, number, address, provider, direct=direct) for number, name in enumerate(names)]
        personas.append(persona(REFUSED, len(names), unused_address(), provider, direct=direct))
        settings = {"models": {"deadline_seconds": DEADLINE}}
        async with gateway_for(*personas, knowledge=KEYS, settings=settings) as gateway:
            await end_of(gateway, "p-two-terminals")  # whatever is loaded at first does not count
            begun = time.monotonic()
            endings = await asyncio.gather(*(end_of(gateway, each.id) for each in personas))
            assert time.monotonic() - begun < 4 * DEADLINE
    for name, ending in zip((*names, REFUSED), endings, strict=True):
        check(name, ending)


def check(name: str, ending: Ending) -> None:
    """What the user sees of a fault."""
    assert ending.terminals == 1, name
    assert ending.seconds < DEADLINE + SLACK, name
    assert ending.kinds[-1] in TERMINAL_TYPES
    said = ending.last
    if name != REFUSED and Fault(name) in IN_THE_MIDDLE:
        assert isinstance(said, Problem), (name, said)
        assert said.code == IN_THE_MIDDLE[Fault(name)], (name, said)
        assert name in said.detail
        assert said.hint, name
        return
    assert isinstance(said, Answer), (name, said)
    assert said.status == "completed", name
    if name != REFUSED and Fault(name) in HARMLESS:
        assert said.response == "They are in the drawer [1].", name
    else:
        assert (said.response, said.model) == (FLOOR, "extractive"), name
        assert f"/{name} " in " ".join(said.notices), (name, said.notices)
