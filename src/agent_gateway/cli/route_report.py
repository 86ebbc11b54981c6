"""`route`: one decision, explained by the running gateway or by one that runs for the duration of the command."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from agent_gateway.cli.access import open_gateway
from agent_gateway.cli.control import ControlClient
from agent_gateway.cli.conversing import check_served
from agent_gateway.cli.options import check_text
from agent_gateway.cli.output import Output
from agent_gateway.cli.waiting import StartNotice
from agent_gateway.config import Configuration
from agent_gateway.errors import NotFound
from agent_gateway.interfaces import RouteChoice, RouteExplanation
from agent_gateway.persona import MODEL_TIERS


def report_route(message: str, persona: str | None, configuration: Configuration, *, as_json: bool) -> None:
    """Show how a message would be routed; `NotFound` for a persona that is not served."""
    output = Output(as_json=as_json)
    found = asyncio.run(_explain(check_text(message), persona, configuration, quiet=as_json))
    if as_json:
        output.document(found)
    else:
        show(output, found)


async def _explain(message: str, persona: str | None, configuration: Configuration, *, quiet: bool) -> RouteExplanation:
    with StartNotice(quiet=quiet) as notice:
        async with open_gateway(configuration, notice) as reached:
            notice.end()
            chosen = persona if persona is not None else await first_persona(reached.control)
            await check_served(reached.control, chosen)
            return await reached.control.explain_route(chosen, message)


async def first_persona(control: ControlClient) -> str:
    """Find the first persona that is served; `NotFound` when there is none."""
    for entry in (await control.personas()).personas:
        if not entry.status.startswith("disabled"):
            return entry.id
    raise NotFound("no persona is served", code="persona_not_found", hint="see `agent-gateway personas`")


def show(output: Output, found: RouteExplanation) -> None:
    """Write the decision for a person: a line for each thing it was made of."""
    for name, value in lines_of(found):
        output.text(f"{name + ':':<11s}{value}")
    output.text("")
    rows = [
        (tier, "up" if standing.up else "down", standing.model or "-", standing.why or "-")
        for tier in MODEL_TIERS
        if (standing := found.standings.get(tier)) is not None
    ]
    if rows:
        output.table(("TIER", "STATE", "MODEL", "WHY"), rows)
    else:
        output.text("No model is configured: every tier is answered by sentences from the documents.")


def lines_of(found: RouteExplanation) -> Iterator[tuple[str, str]]:
    """Yield the names and values of the report."""
    intent = found.intent
    yield "persona", found.persona
    scales = f"reasoning depth {intent.reasoning_depth}, accuracy requirement {intent.accuracy_requirement}"
    yield "intent", f"{intent.category} (confidence {intent.confidence:.2f}), complexity {intent.complexity}, {scales}"
    searched = ", ".join(found.collections) or "nothing"
    yield "passages", f"{found.passages} kept, evidence {found.evidence:.2f}, searched: {searched}"
    yield "score", score_of(found.route.score, found.route.parts)
    yield "policy", found.policy
    yield "tier", found.route.tier
    yield "model", found.route.model
    yield "reason", found.route.reason
    yield "otherwise", f"the {found.other_policy} policy: {verdict_of(found.other)}"


def score_of(score: float, parts: dict[str, float]) -> str:
    """Write a score as the sum it is."""
    return f"{score:g} = {' + '.join(f'{name} {value:g}' for name, value in parts.items() if value) or '0'}"


def verdict_of(choice: RouteChoice | None) -> str:
    """Write what a policy would have wanted."""
    return "does not decide here" if choice is None else f"{choice.tier}, {choice.reason}"
