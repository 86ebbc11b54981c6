"""All language models behind one door: which is asked, which one after it, and what the user is told of that."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence

import msgspec

from agent_gateway.completion import ModelSpec, Price
from agent_gateway.config.models import FallbackSettings
from agent_gateway.errors import ModelFailed
from agent_gateway.interfaces import CompletionPiece, CompletionTask, Ledger, Standing
from agent_gateway.messages import Tier
from agent_gateway.models.attempts import Attempt
from agent_gateway.models.connections import Connection, Connections
from agent_gateway.models.pricing import Books
from agent_gateway.persona import MODEL_TIERS, Persona

NO_MODEL = "no_model_available"
_HINT = "run `agent-gateway doctor` to see what each model's server says"


class _Refusal(msgspec.Struct, frozen=True):
    """A model that was not the one to answer, and why, in a clause that begins with it."""

    tier: Tier
    reason: str


class TieredCompletions:
    """Implements `Completions` for the models of each tier, which may be found later. `daily_budget` is in USD."""

    def __init__(
        self, connections: Connections, fallback: FallbackSettings, ledger: Ledger, daily_budget: float = 0.0
    ) -> None:
        self._connections = connections
        self._fallback = fallback
        self._books = Books(ledger, daily_budget, self._large_price)
        self._tiers: Mapping[Tier, tuple[ModelSpec, ...]] = {}

    def adopt(self, tiers: Mapping[Tier, tuple[ModelSpec, ...]]) -> None:
        """From now on these are the models."""
        self._tiers = dict(tiers)

    def fallbacks(self, tier: Tier) -> tuple[Tier, ...]:
        """Where to go, in order, when a tier cannot answer."""
        return getattr(self._fallback, tier) if tier in MODEL_TIERS else ()

    def standing(self, persona: Persona) -> dict[Tier, Standing]:
        """The tiers that have models, and whether this persona can ask them now."""
        tiers = {tier: self._models_of(persona, tier) for tier in MODEL_TIERS}
        return {tier: self._stand(persona, models) for tier, models in tiers.items() if models}

    async def stream(self, task: CompletionTask) -> AsyncIterator[CompletionPiece]:
        """Ask one model after the other until one gives its first piece, then hand on what it says."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        refusals: list[_Refusal] = []
        candidates = self._candidates(task)
        for number, (tier, connection) in enumerate(candidates, start=1):
            if loop.time() >= task.deadline:
                break
            if why := self._refuse(task.persona, connection):
                refusals.append(_Refusal(tier, why))
                continue
            attempt = Attempt(task, tier, connection, self._books, last=number == len(candidates))
            try:
                piece = await attempt.start()
                yield msgspec.structs.replace(piece, notices=_tell(refusals, tier, connection))
                while (following := await attempt.next()) is not None:
                    yield following
            except ModelFailed as error:
                if attempt.spoke:
                    raise
                refusals.append(_Refusal(tier, connection.explain(error)))
            else:
                return
            finally:
                await attempt.close()
        raise _no_model(task, refusals, loop.time() - began if loop.time() >= task.deadline else None)

    def _candidates(self, task: CompletionTask) -> list[tuple[Tier, Connection]]:
        others = [tier for tier in self.fallbacks(task.tier) if tier in task.persona.tiers] if task.fall else []
        found: dict[Connection, Tier] = {}
        for tier in (task.tier, *others):
            for connection in self._models_of(task.persona, tier):
                found.setdefault(connection, tier)
        return [(tier, connection) for connection, tier in found.items()]

    def _models_of(self, persona: Persona, tier: Tier) -> tuple[Connection, ...]:
        return tuple(map(self._connections.of, self._specs_of(persona, tier)))

    def _specs_of(self, persona: Persona, tier: Tier) -> Sequence[ModelSpec]:
        return persona.models.get(tier) or self._tiers.get(tier, ())

    def _large_price(self, persona: Persona) -> Price:
        specs = self._specs_of(persona, "large")
        return specs[0].price if specs else Price()

    def _refuse(self, persona: Persona, connection: Connection) -> str:
        """Why a model is not even asked, in a clause that begins with it; empty when it can be."""
        if not connection.breaker.askable:
            return connection.breaker.why
        why = self._books.refuse(persona, connection.spec)
        return f"{connection.name}: {why}" if why else ""

    def _stand(self, persona: Persona, models: Sequence[Connection]) -> Standing:
        reasons: list[str] = []
        for connection in models:
            why = self._refuse(persona, connection)
            if not why:
                return Standing(up=True, model=connection.spec.model)
            reasons.append(why)
        return Standing(up=False, why=" and ".join(reasons))


def _tell(refusals: Sequence[_Refusal], tier: Tier, connection: Connection) -> tuple[str, ...]:
    """One sentence for each model that was to answer before the one that does."""
    return tuple(
        f"The {each.tier} tier did not answer ({each.reason}); the {tier} tier answers."
        if each.tier != tier
        else f"A model of the {tier} tier did not answer ({each.reason}); {connection.spec.model} answers."
        for each in refusals
    )


def _no_model(task: CompletionTask, refusals: Sequence[_Refusal], waited: float | None) -> ModelFailed:
    reasons = [each.reason for each in refusals]
    if waited is not None:
        reasons.append(f"the deadline came after {waited:.1f} s")
    if not reasons:
        reasons.append(f"none is configured for the {task.tier} tier or one that may answer instead")
    return ModelFailed(f"no model could answer: {'; '.join(reasons)}", code=NO_MODEL, hint=_HINT)
