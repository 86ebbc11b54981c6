"""`usage`: the ledger, added up."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from agent_gateway.cli.amounts import money
from agent_gateway.cli.output import Output
from agent_gateway.cli.plugin_commands import open_registry
from agent_gateway.config import Configuration
from agent_gateway.registry import Registry
from agent_gateway.runs.database import FILE_NAME
from agent_gateway.runs.uses import Grouping, UseTotals, open_uses, read_groups, read_total

PRICE_SETTING = "`models.large[].price`"
COLUMNS = ("CALLS", "FAILED", "TOKENS IN", "TOKENS OUT", "COST", "MEAN MS")
NOTHING = UseTotals(
    name="total", calls=0, failed=0, prompt_tokens=0, completion_tokens=0, estimated=False, cost=0.0, large_cost=0.0,
    saving=0.0, unpriced=0, mean_ms=None,
)  # fmt: skip


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """What a persona's models have cost today, in USD, and its `limit`: None when it has none."""

    persona: str
    spent: float
    limit: float | None


class UsageReport(msgspec.Struct, frozen=True, kw_only=True):
    """The uses of some days, UTC. `notes` are sentences on what the numbers mean, or why there are none."""

    since: str
    until: str
    by: Grouping
    groups: tuple[UseTotals, ...]
    total: UseTotals
    budgets: tuple[Budget, ...]
    notes: tuple[str, ...]


def report_usage(configuration: Configuration, *, days: int, persona: str, by: Grouping, as_json: bool) -> None:
    """Show what was used; `StorageFailed` when the run database cannot be read."""
    found = gather(configuration, open_registry(configuration), days=days, persona=persona, by=by)
    output = Output(as_json=as_json)
    if as_json:
        output.document(found)
    else:
        show(output, found)


def gather(
    configuration: Configuration, registry: Registry, *, days: int, persona: str = "", by: Grouping = "persona"
) -> UsageReport:
    """Add up what was used in the last days, today (UTC) included, by one persona or (empty) by all."""
    today = datetime.now(UTC).date()
    since, until = (today - timedelta(days=days - 1)).isoformat(), today.isoformat()
    groups: Sequence[UseTotals] = ()
    total = NOTHING
    spent: dict[str, float] = {}
    with open_uses(configuration.settings.data_dir / FILE_NAME) as connection:
        if connection is not None:
            groups = read_groups(connection, by=by, since=since, persona=persona)
            total = read_total(connection, since=since, persona=persona)
            spent = {each.name: each.cost for each in read_groups(connection, by="persona", since=until)}
            notes = (
                tuple(explain(total, is_priced(configuration)))
                if total.calls
                else (why_nothing(connection, days, persona),)
            )
        else:
            notes = ("No model has been asked yet.",)
    budgets = tuple(each for each in list_budgets(configuration, registry, spent) if persona in {"", each.persona})
    return UsageReport(since=since, until=until, by=by, groups=tuple(groups), total=total, budgets=budgets, notes=notes)


def is_priced(configuration: Configuration) -> bool:
    """Tell whether the large tier's first model has a price."""
    models = configuration.settings.models.large
    return bool(models) and (models[0].price.input > 0 or models[0].price.output > 0)


def explain(total: UseTotals, priced: bool) -> Iterator[str]:
    """Say what the large model alone would have cost, or why that is not known, and what was only estimated."""
    if total.large_cost > 0:
        yield compare(total)
        if total.unpriced:
            yield f"{total.unpriced} calls were made while the large model had no price, and are not compared."
    elif priced:
        yield f"There is nothing to compare with yet: the large model had no price ({PRICE_SETTING}) at these calls."
    else:
        yield (
            f"What the large model alone would have cost is not known: it has no price; {PRICE_SETTING} in the settings"
            " gives it one."
        )
    if total.estimated:
        yield "Some servers did not count their tokens: those were estimated."


def compare(total: UseTotals) -> str:
    """Say what the large model alone would have cost."""
    alone = f"The large model alone would have cost {money(total.large_cost)}"
    if total.saving < 0:
        return f"{alone}: {money(-total.saving)} more was spent."
    return f"{alone}: {money(total.saving)} was saved ({total.saving / total.large_cost:.0%})."


def why_nothing(connection: sqlite3.Connection, days: int, persona: str) -> str:
    """Say why there are no numbers."""
    asked = f"asked by {persona}" if persona else "asked"
    if read_total(connection, since="", persona=persona).calls == 0:
        return f"No model has been {asked} yet."
    return f"No model was {asked} in the last {days} days." if days > 1 else f"No model was {asked} today."


def list_budgets(configuration: Configuration, registry: Registry, spent: dict[str, float]) -> Iterator[Budget]:
    """Yield today's budget of everybody who is served, and what was spent by those who are not any more."""
    standard = configuration.settings.models.daily_budget
    left = dict(spent)
    for each in registry.served:
        own = each.persona.daily_budget
        limit = standard if own is None else own
        yield Budget(persona=each.persona.id, spent=left.pop(each.persona.id, 0.0), limit=limit or None)
    for persona, cost in left.items():
        yield Budget(persona=persona, spent=cost, limit=None)


def show(output: Output, found: UsageReport) -> None:
    """Write the groups, what they mean, and the budgets."""
    output.text(f"{found.since} to {found.until}, UTC", style="dim")
    if found.groups:
        output.table((found.by.upper(), *COLUMNS), [*map(cells, found.groups), cells(found.total)])
    for note in found.notes:
        output.text(note)
    if found.budgets:
        output.text("")
        output.table(
            ("PERSONA", "SPENT TODAY", "LIMIT"),
            [
                (each.persona, money(each.spent), "none" if each.limit is None else money(each.limit))
                for each in found.budgets
            ],
        )


def cells(group: UseTotals) -> tuple[object, ...]:
    """Write a group as a line of the table."""
    mean = "-" if group.mean_ms is None else f"{group.mean_ms:.0f}"
    return (
        group.name, group.calls, group.failed, group.prompt_tokens, group.completion_tokens, money(group.cost), mean
    )  # fmt: skip
