from __future__ import annotations

import pytest

from agent_gateway.gateway.readiness import ReadinessBoard


def is_ready(board: ReadinessBoard) -> bool:
    """Ask anew: a type checker takes a property for a constant."""
    return board.ready


def test_nothing_is_ready_until_every_part_said_so() -> None:
    board = ReadinessBoard(("runs", "encoder"))
    assert board.parts() == {"runs": "starting", "encoder": "starting"}
    assert not is_ready(board)
    board.set("runs")
    assert not is_ready(board)
    board.set("encoder")
    assert is_ready(board)
    assert board.parts() == {"runs": "ready", "encoder": "ready"}


@pytest.mark.parametrize("state", ["starting", "waiting: ingesting docs, 3 of 9 files", "failed: no space", ""])
def test_a_part_that_is_not_ready_says_why_and_holds_the_gateway_back(state: str) -> None:
    board = ReadinessBoard(("runs", "knowledge"))
    board.set("runs")
    board.set("knowledge")
    board.set("knowledge", state)
    assert board.parts()["knowledge"] == state
    assert not is_ready(board)


def test_a_note_decides_nothing() -> None:
    board = ReadinessBoard(("runs",))
    board.note("plugin pirate", "disabled: boom")
    assert not is_ready(board)
    board.set("runs")
    assert is_ready(board)
    assert board.parts()["plugin pirate"] == "note: disabled: boom"


def test_what_was_shown_does_not_change_afterwards() -> None:
    board = ReadinessBoard(("runs",))
    before = board.parts()
    board.set("runs")
    assert before == {"runs": "starting"}
