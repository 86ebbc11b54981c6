"""Asks a small model what a message wants when the few-shot head is unsure.

It has little time and may be wrong: its answer is validated, asked for once more if it cannot be used, and otherwise
the head's stands. Nothing is raised.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec
import structlog

from agent_gateway.completion import ChatMessage, CompletionRequest, ModelInfo, RequestBuilder
from agent_gateway.errors import ModelFailed
from agent_gateway.intent import COMPLEXITIES, Complexity, Intent
from agent_gateway.interfaces import Completions, CompletionTask
from agent_gateway.messages import Tier
from agent_gateway.persona import Persona

TIER: Tier = "small"
STAGE = "classify"
TEMPERATURE = 0.1
MAX_TOKENS = 80
#: A message is shown up to here: what it wants is said early.
SHOWN_CHARACTERS = 1500
#: Seconds before the deadline at which the call ends by itself, so that it is known to have been too slow.
MARGIN_SECONDS = 0.02
#: Tries of one message; the second is told what was wrong with the first.
TRIES = 2

#: What the built-in categories mean; a plugin's intent is described by its summary.
MEANINGS: Mapping[str, str] = {
    "deploy": "change what runs or how: roll out, roll back, scale, restart, commit",
    "query": "a fact, a document, a list or one current value",
    "troubleshoot": "something is wrong, find out why",
    "analyze": "compute over data: compare, trend, plot, forecast, group",
    "train": "start or repeat a training run",
    "chat": "greeting, thanks, small talk, questions about the assistant",
}

#: Measured with SmolLM2-135M on 424 examples that heads fitted without them were unsure of. Where both said the same
#: the head was right in 49 %, and its confidence 0.43 on average: its odds times 1.3. Where they differed the model was
#: right in 8 %. A better model deserves more, but none was measured.
AGREEMENT_ODDS = 1.3
AGREEMENT_MOST = 0.49
DISAGREEMENT = 0.08

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Doubt:
    """A message the head is unsure of. `meanings`: the categories to choose from, each in a few words.

    `deadline` is on the event loop's clock.
    """

    message: str
    intent: Intent
    meanings: Mapping[str, str]
    persona: Persona
    owner: str
    run_id: str
    deadline: float


class _Verdict(msgspec.Struct, frozen=True):
    category: str
    complexity: Complexity
    reasoning_depth: Literal[0, 1, 2, 3]
    accuracy_requirement: Literal[0, 1, 2]


def describe_categories(names: Sequence[str], summaries: Sequence[str]) -> dict[str, str]:
    """The meaning of each category; `summaries` are those of the categories in their order, as far as there are any."""
    told = dict(zip(names, summaries, strict=True)) if len(names) == len(summaries) else {}
    return {name: MEANINGS.get(name) or told.get(name) or name.replace("_", " ") for name in names}


async def reconsider(completions: Completions, doubt: Doubt) -> Intent:
    """The intent after the small tier was asked; the head's when that is not up or does not answer in time."""
    standing = completions.standing(doubt.persona).get(TIER)
    if TIER not in doubt.persona.tiers or standing is None or not standing.up or len(doubt.meanings) < 2:
        return doubt.intent
    try:
        async with asyncio.timeout_at(doubt.deadline):
            verdict = await ask_model(completions, doubt)
    except (ModelFailed, TimeoutError) as error:
        log.info("classify_model_failed", run_id=doubt.run_id, error=str(error) or "it took too long")
        return doubt.intent
    if verdict is None:
        return doubt.intent
    intent = combine(doubt.intent, verdict)
    log.info(
        "classified_by_model",
        run_id=doubt.run_id,
        model=standing.model,
        head=doubt.intent.category,
        head_confidence=doubt.intent.confidence,
        category=intent.category,
        confidence=intent.confidence,
    )
    return intent


async def ask_model(completions: Completions, doubt: Doubt) -> Intent | None:
    """The model's own intent, confidence 0, or None when it cannot be used; `ModelFailed` as from the completions."""
    rejected: tuple[ChatMessage, ...] = ()
    for _ in range(TRIES):
        task = CompletionTask(
            persona=doubt.persona,
            owner=doubt.owner,
            run_id=doubt.run_id,
            stage=STAGE,
            tier=TIER,
            build=make_builder(doubt.message, doubt.meanings, rejected),
            deadline=doubt.deadline - MARGIN_SECONDS,
            retry=False,
            fall=False,
        )
        text = "".join([piece.text async for piece in completions.stream(task)])
        try:
            return read_intent(text, doubt.meanings)
        except ValueError as error:
            log.info("classify_answer_rejected", run_id=doubt.run_id, error=str(error))
            rejected = (
                ChatMessage(role="assistant", content=text[:SHOWN_CHARACTERS] or "-"),
                ChatMessage(role="user", content=f"That cannot be used: {error}. Answer with the JSON object alone."),
            )
    return None


def make_builder(message: str, meanings: Mapping[str, str], rejected: tuple[ChatMessage, ...] = ()) -> RequestBuilder:
    """The request for a message; `rejected` is an answer that could not be used, and why."""

    def build(info: ModelInfo) -> CompletionRequest:
        shown = message[: min(SHOWN_CHARACTERS, info.window)]
        return CompletionRequest(
            messages=(
                ChatMessage(role="system", content=instructions(meanings)),
                ChatMessage(role="user", content=f"Message:\n{shown}"),
                *rejected,
            ),
            schema=schema_of(meanings) if info.schemas else None,
            temperature=TEMPERATURE,
            max_tokens=min(MAX_TOKENS, info.max_tokens),
        )

    return build


def instructions(meanings: Mapping[str, str]) -> str:
    """What the model is told; the same for every message, so that its server may keep it."""
    categories = "\n".join(f"- {name}: {meaning}" for name, meaning in meanings.items())
    return (
        "You sort messages that people send to an assistant. Do not answer them. Reply with one JSON object:\n"
        '{"category": one of the categories below, "complexity": "low", "medium" or "high", '
        '"reasoning_depth": 0 look-up, 1 one inference, 2 several sources, 3 open analysis, '
        '"accuracy_requirement": 0 talk, 1 informs, 2 leads to action}\n'
        f"Categories:\n{categories}"
    )


def schema_of(meanings: Mapping[str, str]) -> dict[str, Any]:
    """The JSON schema of the answer."""
    properties = {
        "category": {"type": "string", "enum": list(meanings)},
        "complexity": {"type": "string", "enum": list(COMPLEXITIES)},
        "reasoning_depth": {"type": "integer", "enum": [0, 1, 2, 3]},
        "accuracy_requirement": {"type": "integer", "enum": [0, 1, 2]},
    }
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def read_intent(text: str, meanings: Mapping[str, str]) -> Intent:
    """The intent in an answer, confidence 0; `ValueError` says what is wrong with it."""
    start, end = text.find("{"), text.rfind("}")
    if start < 0 or end < start:
        raise ValueError("it holds no JSON object")
    try:
        verdict = msgspec.json.decode(text[start : end + 1].encode("utf-8", "replace"), type=_Verdict)
    except msgspec.DecodeError as error:
        raise ValueError(str(error)) from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if verdict.category not in meanings:
        raise ValueError(f"`category` must be one of {', '.join(meanings)}")
    return Intent(
        category=verdict.category,
        complexity=verdict.complexity,
        reasoning_depth=verdict.reasoning_depth,
        accuracy_requirement=verdict.accuracy_requirement,
        confidence=0.0,
    )


def combine(head: Intent, model: Intent) -> Intent:
    """What both together say, with a confidence that was measured (`benchmarks/classification.py`)."""
    if model.category != head.category:
        return msgspec.structs.replace(model, confidence=DISAGREEMENT)
    odds = AGREEMENT_ODDS * head.confidence / max(1e-9, 1 - head.confidence)
    raised = min(odds / (1 + odds), AGREEMENT_MOST)
    return msgspec.structs.replace(head, confidence=max(head.confidence, round(raised, 4)))
