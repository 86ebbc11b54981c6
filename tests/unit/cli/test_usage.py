from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.unit.cli.conftest import Cli
from tests.unit.plugins.folder import drop, persona

from agent_gateway.interfaces import ModelUse
from agent_gateway.runs import SqliteRuns

PRICED = "models: {large: [{model: hosted_vllm/big, price: {input: 1, output: 2}}], daily_budget: 5}\n"
UNPRICED = "models: {large: [{model: hosted_vllm/big}]}\n"


def use(name: str, *, days_ago: int = 0, **changes: Any) -> ModelUse:
    """A call on one of the last days."""
    given: dict[str, Any] = {
        "run_id": "run_1", "persona": name, "stage": "act", "tier": "small", "model": "ollama_chat/llama3:8b",
        "prompt_tokens": 100, "completion_tokens": 20, "estimated": False, "cost": 0.25, "large_cost": 1.0, "ms": 40.0,
        "outcome": "ok", "at": (datetime.now(UTC) - timedelta(days=days_ago)).isoformat(),
    }  # fmt: skip
    return ModelUse(**(given | changes))


@contextmanager
def writing(home: Path) -> Iterator[sqlite3.Connection]:
    """The run database, as a gateway that is busy writing holds it."""
    connection = sqlite3.connect(home / "data" / "runs.sqlite3", isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("DELETE FROM model_uses")
    yield connection
    connection.execute("ROLLBACK")
    connection.close()


@pytest.fixture
def personas(home: Path) -> Path:
    """Two personas, one with a budget of its own."""
    one = persona("id='bruno', port=30120, title='B', prompt='x'")
    two = persona("id='jamie', port=30122, title='J', prompt='x', daily_budget=0.5")
    drop(home, one=one, two=two)
    return home


async def keep(home: Path, *uses: ModelUse) -> None:
    """Write what a gateway would have written."""
    runs = await SqliteRuns.open(home / "data" / "runs.sqlite3", {})
    for each in uses:
        runs.ledger.record(each)
    await runs.close()


async def test_calls_tokens_and_cost_of_each_persona_and_what_the_large_model_would_have_cost(
    personas: Path, cli: Cli
) -> None:
    (personas / "agent-gateway.yaml").write_text(PRICED)
    failed = use("bruno", outcome="model_timeout", cost=0.0, large_cost=0.0, prompt_tokens=0, completion_tokens=0)
    await keep(personas, use("bruno"), use("bruno", ms=60), failed, use("jamie", cost=0.75), use("bruno", days_ago=7))
    with writing(personas):
        done = cli("usage")
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[1:5] == [
        "PERSONA\tCALLS\tFAILED\tTOKENS IN\tTOKENS OUT\tCOST\tMEAN MS",
        "jamie\t1\t0\t100\t20\t$0.7500\t40",
        "bruno\t3\t1\t200\t40\t$0.5000\t50",
        "total\t4\t1\t300\t60\t$1.2500\t47",
    ]
    assert lines[5] == "The large model alone would have cost $3.0000: $1.7500 was saved (58%)."
    assert lines[7:] == [
        "PERSONA\tSPENT TODAY\tLIMIT",
        "bruno\t$0.5000\t$5.0000",
        "jamie\t$0.7500\t$0.5000",
    ]


@pytest.mark.parametrize(
    ("by", "names"),
    [
        ("persona", ["jamie", "bruno"]),
        ("model", ["hosted_vllm/big", "ollama_chat/llama3:8b"]),
        ("stage", ["act", "classify"]),
        ("tier", ["large", "small"]),
        ("day", ["yesterday", "today"]),
    ],
)
async def test_calls_are_added_up_by_what_is_asked_for(personas: Path, cli: Cli, by: str, names: list[str]) -> None:
    large: dict[str, Any] = {"tier": "large", "model": "hosted_vllm/big", "cost": 9.0, "large_cost": 9.0}
    await keep(personas, use("bruno", days_ago=1, stage="classify"), use("jamie", **large))
    today = datetime.now(UTC).date()
    days = {"today": today.isoformat(), "yesterday": (today - timedelta(days=1)).isoformat()}
    found = cli("usage", "--by", by, "--json").json
    assert [each["name"] for each in found["groups"]] == [days.get(name, name) for name in names]
    assert (found["by"], found["total"]["calls"], found["total"]["cost"]) == (by, 2, 9.25)


async def test_days_and_persona_narrow_it_down(personas: Path, cli: Cli) -> None:
    await keep(personas, use("bruno"), use("bruno", days_ago=1), use("jamie"), use("gone"))
    assert cli("usage", "--days", "1", "--json").json["total"]["calls"] == 3
    found = cli("usage", "--persona", "bruno", "--json").json
    assert (found["total"]["calls"], [each["name"] for each in found["groups"]]) == (2, ["bruno"])
    assert found["budgets"] == [{"persona": "bruno", "spent": 0.25, "limit": None}]
    everybody = cli("usage", "--json").json["budgets"]
    # Who is not served any more has no limit, and has spent all the same.
    assert [(each["persona"], each["spent"]) for each in everybody] == [
        ("bruno", 0.25),
        ("jamie", 0.25),
        ("gone", 0.25),
    ]


@pytest.mark.parametrize(
    ("settings", "uses", "sentences"),
    [
        (UNPRICED, [use("bruno", large_cost=0.0)], ["not known: it has no price; `models.large[].price`"]),
        ("", [use("bruno", large_cost=0.0)], ["not known: it has no price; `models.large[].price`"]),
        (PRICED, [use("bruno", large_cost=0.0)], ["nothing to compare with yet"]),
        (PRICED, [use("bruno"), use("bruno", large_cost=0.0)], ["$0.7500 was saved (75%)", "1 calls were made while"]),
        (PRICED, [use("bruno", cost=3.0)], ["$2.0000 more was spent"]),
        (PRICED, [use("bruno", estimated=True)], ["was saved", "those were estimated"]),
    ],
    ids=["unpriced", "no large model", "priced later", "priced meanwhile", "dearer", "estimated"],
)
async def test_what_the_comparison_is_worth_is_said(
    personas: Path, cli: Cli, settings: str, uses: list[ModelUse], sentences: list[str]
) -> None:
    (personas / "agent-gateway.yaml").write_text(settings)
    await keep(personas, *uses)
    notes = cli("usage", "--json").json["notes"]
    assert len(notes) == len(sentences)
    for note, sentence in zip(notes, sentences, strict=True):
        assert sentence in note


async def test_without_calls_there_is_one_sentence(personas: Path, cli: Cli) -> None:
    assert "No model has been asked yet." in cli("usage").out.splitlines()
    await keep(personas)
    assert "No model has been asked yet." in cli("usage").out.splitlines()
    await keep(personas, use("bruno", days_ago=3))
    assert "No model was asked in the last 2 days." in cli("usage", "--days", "2").out.splitlines()
    assert "No model was asked today." in cli("usage", "--days", "1").out.splitlines()
    assert "No model has been asked by jamie yet." in cli("usage", "--persona", "jamie").out.splitlines()


def test_usage_makes_no_data_directory(home: Path, cli: Cli) -> None:
    done = cli("usage")
    assert (done.code, (home / "data").exists()) == (0, False)


def test_a_damaged_database_is_an_error(home: Path, cli: Cli) -> None:
    (home / "data").mkdir()
    (home / "data" / "runs.sqlite3").write_bytes(b"this is not a database" * 100)
    done = cli("usage")
    assert done.code == 1
    assert "not a database" in done.err
