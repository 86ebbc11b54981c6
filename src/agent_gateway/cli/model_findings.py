"""What `doctor` says about language models: what answers behind each tier, and what it costs where nothing does."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby

import msgspec

from agent_gateway.cli.findings import Finding
from agent_gateway.completion import ModelSpec
from agent_gateway.config.models import ModelEntry, ModelsSettings
from agent_gateway.interfaces import ModelReport
from agent_gateway.messages import Tier
from agent_gateway.models.discovery import discover, ollama_address
from agent_gateway.models.probing import OK, UNKNOWN, probe_all
from agent_gateway.persona import MODEL_TIERS, Persona

NAME = "models"
#: How many of a server's models are named.
NAMED = 8
QUESTIONS: Mapping[Tier, str] = {
    "small": "easy questions",
    "medium": "questions of middling difficulty",
    "large": "hard questions",
}
WITHOUT_MODELS = "answers are sentences from the documents"
HOW_TO = "start Ollama, or name a model and its address under `models.small` in the settings"


class Probed(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked and what came back: of the gateway's tiers, and of personas with models of their own."""

    tiers: tuple[ModelReport, ...] = ()
    personas: Mapping[str, tuple[ModelReport, ...]] = {}
    #: What the place where an Ollama usually is says, when no model is configured and it can serve no tier.
    usual: ModelReport | None = None


def check_models(settings: ModelsSettings, personas: Iterable[Persona] = ()) -> tuple[Finding, ...]:
    """Ask the servers of all models, side by side, and judge what they say; takes a few seconds at most."""
    own = {each.id: each.models for each in personas if each.models}
    return tuple(judge(settings, asyncio.run(ask_servers(settings, own))))


async def ask_servers(
    settings: ModelsSettings, own: Mapping[str, Mapping[Tier, Sequence[ModelSpec]]], address: str = ""
) -> Probed:
    """Ask the servers of the configured models, else of those that the Ollama at an address (or the usual one) has."""
    found = address or ollama_address()
    tiers = settings.specs()
    if not tiers and settings.discover:
        tiers = await discover(found)
    reports, *others = await asyncio.gather(probe_all(tiers), *(probe_all(models) for models in own.values()))
    usual = None
    if not tiers and settings.discover:
        (usual,) = await probe_all({"small": (ModelEntry(address=found).spec("small"),)})
    return Probed(tiers=reports, personas=dict(zip(own, others, strict=True)), usual=usual)


def judge(settings: ModelsSettings, probed: Probed) -> Iterator[Finding]:
    """Say for each tier what answers; nothing here keeps a gateway from working."""
    if probed.tiers:
        yield from judge_tiers(probed.tiers)
    elif not settings.discover:
        found = "none is configured, and none is looked for (`models.discover` is off)"
        yield Finding(name=NAME, state="absent", found=found, cost=f"{WITHOUT_MODELS}; {HOW_TO}")
    elif probed.usual is not None:
        yield judge_usual(probed.usual)
    for persona, reports in probed.personas.items():
        for tier, of_tier in groupby(reports, lambda each: each.tier):
            yield judge_tier(f"{persona}, {tier} tier", tier, tuple(of_tier))


def judge_usual(report: ModelReport) -> Finding:
    """Say why no model was found where an Ollama usually is."""
    if report.state in {OK, "missing"}:
        found = f"the Ollama at {report.address} has no model that talks"
        how = "fetch one with `ollama pull llama3:8b`, or name one under `models.small` in the settings"
    else:
        found, how = f"no Ollama answers at {report.address}", HOW_TO
    return Finding(name=NAME, state="absent", found=found, cost=f"{WITHOUT_MODELS}; {how}")


def judge_tiers(reports: Sequence[ModelReport]) -> Iterator[Finding]:
    """Judge every tier, those without a model too."""
    for tier in MODEL_TIERS:
        of_tier = tuple(each for each in reports if each.tier == tier)
        yield judge_tier(f"{tier} tier", tier, of_tier)


def judge_tier(name: str, tier: Tier, reports: Sequence[ModelReport]) -> Finding:
    """Judge one tier: one model that answers is enough."""
    found = "; ".join(map(describe, reports)) or f"no model is configured (`models.{tier}`)"
    if any(each.state in {OK, UNKNOWN} for each in reports):
        return Finding(name=name, state="ok", found=found)
    cost = f"{QUESTIONS[tier]} go to the next tier, at last to the floor"
    return Finding(name=name, state="absent", found=found, cost=cost)


def describe(report: ModelReport) -> str:
    """Say what one server answered."""
    _, _, model = report.model.partition("/")
    if report.state == UNKNOWN:
        return f"{report.model} {report.detail}"
    if report.state == OK:
        return f"{model} at {report.address} answers in {report.ms:.0f} ms; it has: {list_names(report.models)}"
    return f"{model} at {report.address}: {report.detail}{other_models(report)}"


def other_models(report: ModelReport) -> str:
    """Name what a server has instead."""
    return f"; it has: {list_names(report.models)}" if report.models else ""


def list_names(names: Sequence[str]) -> str:
    """Join the first names."""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"{', '.join(names[:NAMED])}{more}"
