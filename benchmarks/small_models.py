"""What a gateway makes of models that make the mistakes small models make.

    python -m benchmarks.small_models [--count 200] [--seed 1]

Each question meets a scripted model with its own mixture of bad habits, half of them with tool calls of the API's, half
with the JSON protocol. A useful answer holds the sentence the model had to say, or is the floor's quotation.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

import agent_gateway as ag
from agent_gateway.completion import ModelSpec, ToolMode
from agent_gateway.events import Event
from agent_gateway.messages import Answer, Problem
from agent_gateway.persona import Persona
from agent_gateway.testing import GatewayClient, ScriptedModelServer, StaticKnowledge, gateway_for, passage
from benchmarks.figures import Figure, quantile, show
from benchmarks.small_mistakes import FINAL, INVENTED, MISTAKES, READ_TOOL, WRITE_TOOL, Pupils

USEFUL, ERROR, NEITHER = "useful answer", "one clear error", "neither"
#: Seconds; far more than any of these turns may need.
DEADLINE = 20.0
#: The passage is found for the first; for the second nothing is, and only the tool knows.
QUESTIONS = ("Which drawer are the keys in? (case {})", "Where are the keys? (case {})")
MODES: Sequence[ToolMode] = ("native", "json")
KEYS = StaticKnowledge({"docs": [passage("The keys are in the drawer.", source="keys.md")]})


class Drawer:
    """A plugin with a tool that looks and one that must never run."""

    def __init__(self) -> None:
        self.thrown_away: list[str] = []

    @ag.hookimpl
    def register_tools(self) -> list[ag.Tool]:
        """Add them."""

        async def look_up(name: str, limit: int = 5) -> str:
            """Tell where a thing is."""
            return f"Of at most {limit} places for {name}: the drawer."

        async def throw_away(name: str) -> str:
            """Throw a thing away."""
            self.thrown_away.append(name)
            return "It is gone."

        return [ag.tool(look_up, name=READ_TOOL), ag.tool(throw_away, name=WRITE_TOOL, effect="write")]


@dataclass
class Tally:
    """What came of all questions: outcomes, the outcomes beside each mistake that was made, and times."""

    outcomes: Counter[str] = field(default_factory=Counter)
    by_mistake: Counter[tuple[str, str]] = field(default_factory=Counter)
    strange: list[str] = field(default_factory=list)
    calls: list[int] = field(default_factory=list)
    milliseconds: list[float] = field(default_factory=list)
    floors: int = 0
    invented: int = 0


def persona(mode: ToolMode, address: str) -> Persona:
    """A persona whose models all are the scripted one, given tools in this way."""
    spec = ModelSpec(model="hosted_vllm/pupil", address=address, direct=True, tools=mode, max_tokens=300)
    return Persona(
        id=mode,
        port=30180 + MODES.index(mode),
        title="Keeper",
        prompt="You know where things are.",
        collections=("docs",),
        tools=(READ_TOOL, WRITE_TOOL),
        models={"small": (spec,), "medium": (spec,), "large": (spec,)},
    )


def judge(events: Sequence[Event], tally: Tally) -> str:
    """What one question came to."""
    ends = [event for event in events if event.terminal]
    if len(ends) != 1 or events[-1] is not ends[0]:
        return NEITHER
    if ends[0].type == "error":
        problem = msgspec.json.decode(ends[0].data, type=Problem)
        return ERROR if problem.code and problem.detail else NEITHER
    answer = msgspec.json.decode(ends[0].data, type=Answer)
    tally.invented += any(each in answer.response for each in INVENTED)
    floor = answer.model == "extractive" and bool(answer.response.strip())
    tally.floors += floor
    return USEFUL if floor or FINAL in answer.response else NEITHER


async def ask_all(gateway: GatewayClient, pupils: Pupils, count: int) -> Tally:
    """All questions, one after the other."""
    tally = Tally()
    for case in range(count):
        begun = time.perf_counter()
        question = QUESTIONS[case // len(MODES) % len(QUESTIONS)].format(case)
        events = await gateway.stream(MODES[case % len(MODES)], question)
        tally.milliseconds.append((time.perf_counter() - begun) * 1000)
        outcome = judge(events, tally)
        tally.outcomes[outcome] += 1
        pupil = pupils.by_case.get(case)
        tally.calls.append(pupil.calls if pupil else 0)
        made = pupil.made if pupil else {}
        tally.by_mistake.update((name, outcome) for name in made)
        if outcome == NEITHER:
            tally.strange.append(f"case {case} ({', '.join(made)}): {events[-1].data.decode()[:600]}")
    return tally


async def measure(count: int, seed: int) -> tuple[list[Figure], Tally]:
    """The figures, and what is behind them."""
    pupils, drawer = Pupils(seed), Drawer()
    async with ScriptedModelServer(("pupil",), pupils) as server:
        personas = [persona(mode, server.openai_url) for mode in MODES]
        settings = {"models": {"deadline_seconds": DEADLINE}}
        async with gateway_for(*personas, plugins=[drawer], knowledge=KEYS, settings=settings) as gateway:
            tally = await ask_all(gateway, pupils, count)
    share = 100 / count
    figures = [
        Figure("questions", count, ""),
        Figure(USEFUL, tally.outcomes[USEFUL] * share, "%"),
        Figure("  of these by the floor", tally.floors * share, "%"),
        Figure(ERROR, tally.outcomes[ERROR] * share, "%"),
        Figure(NEITHER, tally.outcomes[NEITHER] * share, "%", 0),
        Figure("invented citations shown", tally.invented, "", 0),
        Figure("writes carried out", len(drawer.thrown_away), "", 0),
        Figure("model calls per question, p50", quantile(tally.calls, 0.5), ""),
        Figure("model calls per question, p95", quantile(tally.calls, 0.95), ""),
        Figure("time per question, p50", quantile(tally.milliseconds, 0.5), "ms"),
        Figure("time per question, p95", quantile(tally.milliseconds, 0.95), "ms"),
    ]
    return figures, tally


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    figures, tally = asyncio.run(measure(options.count, options.seed))
    show("small models", figures)
    for name in MISTAKES:
        ends = {outcome: tally.by_mistake[name, outcome] for outcome in (USEFUL, ERROR, NEITHER)}
        print(f"  {name:24s} {', '.join(f'{count} {outcome}' for outcome, count in ends.items() if count)}")
    for line in tally.strange[:20]:
        print(f"  NEITHER {line}")


if __name__ == "__main__":
    main()
