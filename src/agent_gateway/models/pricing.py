"""What calls cost, and what a persona may still spend today."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime

from agent_gateway.completion import CompletionRequest, ModelSpec, Price, Usage
from agent_gateway.errors import ModelFailed
from agent_gateway.interfaces import CompletionTask, Ledger, ModelUse
from agent_gateway.messages import Tier
from agent_gateway.models.tokens import texts_of
from agent_gateway.persona import Persona

OVER_BUDGET = "model_over_budget"
_TOKENS = 1_000_000
_BYTES_A_TOKEN = 3


def cost_of(price: Price, prompt_tokens: int, completion_tokens: int) -> float:
    """The cost of a call in USD."""
    return (price.input * prompt_tokens + price.output * completion_tokens) / _TOKENS


def estimate(price: Price, request: CompletionRequest) -> float:
    """What a call may cost in USD, before it is made: few texts have more tokens than a third of their bytes."""
    asked = sum(len(text.encode("utf-8", "replace")) for text in texts_of(request))
    return cost_of(price, asked // _BYTES_A_TOKEN, request.max_tokens)


class Books:
    """The ledger with prices. `daily_budget` is in USD, 0 for no limit, and holds for personas without their own.

    `large_price` is that of a persona's large tier, which the ledger compares every call with.
    """

    def __init__(self, ledger: Ledger, daily_budget: float, large_price: Callable[[Persona], Price]) -> None:
        self._ledger = ledger
        self._daily_budget = daily_budget
        self._large_price = large_price
        #: For each persona, what its calls in flight may cost.
        self._reserved: dict[str, list[float]] = {}

    def refuse(self, persona: Persona, spec: ModelSpec) -> str:
        """Why a persona may not ask a model any more now, in one clause; empty when it may."""
        return self._refuse(persona, self._budget(persona, spec), 0.0)

    def reserve(self, persona: Persona, spec: ModelSpec, request: CompletionRequest) -> float | None:
        """Set aside what a call may cost, for `release`; None when nothing limits it.

        `ModelFailed` when that would exceed the budget. Whoever is alone may always spend what is left: else a budget
        below one estimate would be none.
        """
        budget = self._budget(persona, spec)
        if budget is None:
            return None
        cost = estimate(spec.price, request)
        if why := self._refuse(persona, budget, cost):
            raise ModelFailed(why, code=OVER_BUDGET, unfit=True)
        self._reserved.setdefault(persona.id, []).append(cost)
        return cost

    def release(self, persona: Persona, reserved: float) -> None:
        """The call is in the ledger, or there was none."""
        held = self._reserved[persona.id]
        held.remove(reserved)
        if not held:
            del self._reserved[persona.id]

    def _budget(self, persona: Persona, spec: ModelSpec) -> float | None:
        """The limit for calls of this model, None when there is none."""
        budget = self._daily_budget if persona.daily_budget is None else persona.daily_budget
        free = spec.price.input <= 0 and spec.price.output <= 0
        return None if free or budget <= 0 else budget

    def _refuse(self, persona: Persona, budget: float | None, cost: float) -> str:
        if budget is None:
            return ""
        spent, held = self._ledger.spent(persona.id), self._reserved.get(persona.id)
        if spent >= budget:
            return f"daily budget of {budget:.2f} USD spent"
        if held and spent + math.fsum(held) + cost > budget:
            return f"daily budget of {budget:.2f} USD may be spent by answers that are being written"
        return ""

    def record(self, task: CompletionTask, tier: Tier, spec: ModelSpec, usage: Usage, ms: float, outcome: str) -> None:
        """Keep a call in the ledger; the cost of `usage` is worked out here."""
        tokens = usage.prompt_tokens, usage.completion_tokens
        self._ledger.record(
            ModelUse(
                run_id=task.run_id,
                persona=task.persona.id,
                stage=task.stage,
                tier=tier,
                model=spec.model,
                prompt_tokens=usage.prompt_tokens,
                completion_tokens=usage.completion_tokens,
                estimated=usage.estimated,
                cost=cost_of(spec.price, *tokens),
                large_cost=cost_of(self._large_price(task.persona), *tokens),
                ms=ms,
                outcome=outcome,
                at=datetime.now(UTC).isoformat(timespec="milliseconds"),
            )
        )
