from __future__ import annotations

import re
import time

from agent_gateway.runs.identifiers import Clock, new_id, title_of


def test_ids_are_unique_and_sort_by_time() -> None:
    ids = [new_id("run") for _ in range(1_000)]
    assert len(set(ids)) == 1_000
    assert all(re.fullmatch(r"run_[0-9a-f]{32}", value) for value in ids)
    time.sleep(0.002)
    assert new_id("run") > max(ids)


def test_times_are_utc_text_that_always_grows() -> None:
    clock = Clock()
    times = [clock.now() for _ in range(1_000)]
    assert times == sorted(set(times))
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", value) for value in times)


def test_title_is_the_start_of_the_message_on_one_line() -> None:
    assert title_of(" a\n\tb  c ") == "a b c"
    assert title_of("word " * 100_000) == "word " * 15 + "word…"
    assert len(title_of("x" * 1_000)) == 80
