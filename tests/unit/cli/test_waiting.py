from __future__ import annotations

import pytest

from agent_gateway.cli.waiting import StartNotice, describe


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        ({"runs": "starting", "encoder": "starting"}, "Starting the gateway (runs, encoder)"),
        (
            {"knowledge": "waiting: ingesting docs, 1 of 9 files", "classifier": "starting"},
            "Starting the gateway (knowledge: ingesting docs, 1 of 9 files)",
        ),
        ({}, "Starting the gateway (almost ready)"),
    ],
)
def test_it_says_what_a_part_is_busy_with(parts: dict[str, str], text: str) -> None:
    assert describe(parts) == text


def test_where_nobody_looks_it_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    with StartNotice() as notice:
        notice({"runs": "starting"})
        notice({"encoder": "starting"})
    assert capsys.readouterr() == ("", "Starting the gateway (runs)\n")


def test_quiet_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with StartNotice(quiet=True) as notice:
        notice({"runs": "starting"})
    assert capsys.readouterr() == ("", "")
