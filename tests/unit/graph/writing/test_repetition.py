from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from agent_gateway.graph.writing.repetition import COPIES, LEAST, RepetitionGuard, repeats


@given(piece=st.text(min_size=1, max_size=300), before=st.text(max_size=400))
def test_copies_in_a_row_are_noticed_whatever_came_before(piece: str, before: str) -> None:
    guard = RepetitionGuard()
    copies = max(COPIES, LEAST // len(piece) + 1) + 400 // len(piece) + 2
    assert guard.feed(before) or any(guard.feed(part) for part in itertools.repeat(piece, copies))


def test_ordinary_text_and_lists_are_not() -> None:
    prose = " ".join(f"Step {number}: restart node {number} and wait until it is ready." for number in range(60))
    table = "\n".join(f"| node-{number} | Ready | v1.30 |" for number in range(60))
    for text in (prose, table, "-" * 80 + "\n# Title\n" + "=" * 120, "no " * 4 + "more"):
        guard = RepetitionGuard()
        assert not any(guard.feed(text[at : at + 7]) for at in range(0, len(text), 7))


def test_a_few_copies_are_no_repetition() -> None:
    line = "It is not a deployment, and no freeze window forbids it, whatever the calendar says today. "
    assert not repeats("The answer. " * 3 + line * (COPIES - 1))
    assert repeats("The answer. " + line * COPIES)
