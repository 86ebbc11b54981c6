from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from tests.unit.cli.conftest import Cli

from agent_gateway.runs import SqliteRuns


async def note(home: Path, *kinds: str) -> None:
    """Write what a gateway would have written."""
    runs = await SqliteRuns.open(home / "data" / "runs.sqlite3", {})
    for number, kind in enumerate(kinds):
        await runs.audit.note(kind, {"tool": "scale", "run": f"run_{number}", "targets": [{"name": "air/web"}]})
    await runs.close()


async def test_log_that_is_whole_is_counted_and_ends_with_its_head(home: Path, cli: Cli) -> None:
    await note(home, "call_denied", "call_denied")
    done = cli("audit", "verify")
    assert (done.code, done.err) == (0, "")
    first, second = done.out.splitlines()
    assert first == "The audit log is whole: 2 rows."
    head = second.removeprefix("Head: ")
    assert cli("audit", "verify", "--json").json == {"rows": 2, "head": head}
    await note(home, "call_denied")
    assert cli("audit", "verify", "--head", head).code == 0
    assert cli("audit", "verify", "--head", f"2:{'0' * 64}").code == 1
    wrong = cli("audit", "verify", "--head", "latest")
    assert (wrong.code, "copy the part behind" in wrong.err) == (1, True)


async def test_first_bad_row_is_named_and_the_exit_code_says_so(home: Path, cli: Cli) -> None:
    await note(home, "call_denied", "call_denied", "call_denied")
    with closing(sqlite3.connect(home / "data" / "runs.sqlite3")) as connection:
        connection.execute("DROP TRIGGER audit_is_not_changed")
        connection.execute("UPDATE audit SET kind = 'call_allowed' WHERE seq = 2")
        connection.commit()
    done = cli("audit", "verify", "--data-dir", "data")
    assert (done.code, done.out) == (1, "")
    assert done.err.splitlines()[0] == "Error: row 2 was changed"
    assert '"code":"audit_broken"' in cli("audit", "verify", "--json").err


async def test_entries_are_listed_also_while_a_gateway_writes(home: Path, cli: Cli) -> None:
    await note(home, "call_denied", "login", "call_denied")
    with closing(sqlite3.connect(home / "data" / "runs.sqlite3", isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        done = cli("audit", "list", "--kind", "call_denied")
        connection.execute("ROLLBACK")
    lines = [line.split("\t") for line in done.out.splitlines()]
    assert lines[0] == ["ROW", "AT", "KIND", "DETAILS"]
    assert [(line[0], line[2], line[3]) for line in lines[1:]] == [
        ("1", "call_denied", 'run run_0, targets [{"name":"air/web"}], tool scale'),
        ("3", "call_denied", 'run run_2, targets [{"name":"air/web"}], tool scale'),
    ]
    found = cli("audit", "list", "--run", "run_1", "--json").json["entries"]
    assert [(each["seq"], each["kind"], each["details"]["tool"]) for each in found] == [(2, "login", "scale")]
    assert cli("audit", "list", "--limit", "1", "--json").json["entries"][0]["seq"] == 3


def test_empty_log_says_so(cli: Cli) -> None:
    for command in ("verify", "list"):
        done = cli("audit", command)
        assert (done.code, done.out, done.err) == (0, "Nothing is in the audit log yet.\n", "")
    assert cli("audit", "list", "--kind", "login").out == "There is no such entry.\n"
