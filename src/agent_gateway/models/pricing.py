"""What calls cost, and what a persona may still spend today."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from agent_gateway.completion import ModelSpec, Price, Usage
from agent_gateway.interfaces import CompletionTask, Ledger, ModelUse
from agent_gateway.messages import Tier
from agent_gateway.persona import Persona

_TOKENS = 1_000_000


def cost_of(price: Price, prompt_tokens: int, completion_tokens: int) -> float:
    """The cost of a call in USD."""
    return (price.input * prompt_tokens + price.output * completion_tokens) / _TOKENS


class Books:
    """The ledger with prices. `daily_budget` is in USD, 0 for no limit, and holds for personas without their own.

    `large_price` is that of a persona's large tier, which the ledger compares every call with.
    """

    def __init__(self, ledger: Ledger, daily_budget: float, large_price: Callable[[Persona], Price]) -> None:
        self._ledger = ledger
        self._daily_budget = daily_budget
        self._large_price = large_price

    def refuse(self, persona: Persona, spec: ModelSpec) -> str:
        """Why a persona may not ask a model any more today, in one clause; empty when it may."""
        budget = self._daily_budget if persona.daily_budget is None else persona.daily_budget
        if budget <= 0 or (spec.price.input <= 0 and spec.price.output <= 0):
            return ""
        return f"daily budget of {budget:.2f} USD spent" if self._ledger.spent(persona.id) >= budget else ""

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
