"""`ask` and `chat`: one turn, or one after the other, over HTTP."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import msgspec

from agent_gateway.cli.access import open_gateway
from agent_gateway.cli.control import ControlClient
from agent_gateway.cli.failures import ExitCode, exit_code, report
from agent_gateway.cli.options import check_text
from agent_gateway.cli.output import Output
from agent_gateway.cli.prompt import InputLines
from agent_gateway.cli.transcript import Transcript, failure
from agent_gateway.cli.waiting import StartNotice
from agent_gateway.client import PersonaClient
from agent_gateway.config import Configuration, suggest
from agent_gateway.errors import GatewayError, NotFound, Unavailable
from agent_gateway.events import Event, RunStarted

QUIT = frozenset({"/quit", "/exit"})


@dataclass(frozen=True)
class Caller:
    """Who is talked to, where, and as whom: the owner of an API key, or without one `local`."""

    persona: str
    configuration: Configuration
    api_key: str = field(repr=False)


def ask_once(
    persona: str,
    message: str,
    conversation: str | None,
    configuration: Configuration,
    *,
    api_key: str = "",
    as_json: bool,
) -> None:
    """Send one message and show the turn; `GatewayError` when it has no answer."""
    text = sys.stdin.buffer.read().decode("utf-8", "replace") if message == "-" else message
    caller = Caller(persona, configuration, api_key)
    asyncio.run(_ask(caller, check_text(text), conversation, Output(as_json=as_json)))


async def _ask(caller: Caller, text: str, conversation: str | None, output: Output) -> None:
    async with AsyncExitStack() as stack:
        client = await reach(stack, caller, quiet=output.as_json)
        await take_turn(client, text, conversation, output)


def converse(
    persona: str, conversation: str | None, configuration: Configuration, *, api_key: str = "", as_json: bool
) -> None:
    """Take one turn for each line of the input."""
    asyncio.run(_converse(Caller(persona, configuration, api_key), conversation, Output(as_json=as_json)))


async def _converse(caller: Caller, conversation: str | None, output: Output) -> None:
    async with AsyncExitStack() as stack:
        client = await reach(stack, caller, quiet=output.as_json)
        prompt = f"{caller.persona}> " if output.rich and sys.stdin.isatty() else ""
        if prompt:
            output.text("One message a line; /quit ends.", style="dim")
        async for line in InputLines(prompt):
            text = line.strip()
            if text in QUIT:
                return
            if text:
                conversation = await survive(take_turn(client, text, conversation, output), conversation, prompt)
        if prompt:
            output.text("")


async def survive(turn: Awaitable[str | None], conversation: str | None, prompt: str) -> str | None:
    """Let a person go on after a turn that failed; without a prompt, or a gateway, the failure ends the chat."""
    try:
        return await turn
    except GatewayError as error:
        if not prompt or exit_code(error) is ExitCode.UNREACHABLE:
            raise
        report(error, as_json=False)
        return conversation


async def take_turn(client: PersonaClient, text: str, conversation: str | None, output: Output) -> str | None:
    """Take one turn and show it; returns the conversation's id. `GatewayError` when the turn failed."""
    transcript = Transcript(output)
    last: Event | None = None
    async for event in client.stream(text, conversation):
        transcript.show(event)
        if event.type == "run_started":
            conversation = msgspec.json.decode(event.data, type=RunStarted).conversation_id
        last = event
    problem = failure(last) if last is not None else None
    if problem is not None:
        raise GatewayError(problem.detail, code=problem.code, hint=problem.hint)
    return conversation


async def reach(stack: AsyncExitStack, caller: Caller, *, quiet: bool) -> PersonaClient:
    """Open a gateway and find a persona in it; `NotFound` when there is none of that name."""
    with StartNotice(quiet=quiet) as notice:
        reached = await stack.enter_async_context(open_gateway(caller.configuration, notice))
    await check_served(reached.control, caller.persona)
    return await stack.enter_async_context(reached.persona(caller.persona, caller.api_key))


async def check_served(control: ControlClient, persona: str) -> None:
    """Raise `NotFound` for a persona that is unknown, `Unavailable` for one that is disabled."""
    known = {entry.id: entry.status for entry in (await control.personas()).personas}
    status = known.get(persona)
    if status is None:
        raise NotFound(f"there is no persona '{persona}'", code="persona_not_found", hint=suggest(persona, known))
    if status.startswith("disabled"):
        raise Unavailable(
            f"the persona '{persona}' is {status}", code="persona_disabled", hint="see `agent-gateway plugins`"
        )
