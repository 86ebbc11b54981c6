"""The gist of a request is taken in any order, and only when nothing is left unexplained."""

from __future__ import annotations

import pytest

from agent_gateway.gist import Gist

RATE = Gist("error rate|error ratio", takes=(r"p(?P<quantile>\d+)",), fillers="average", named=True)
YAML = Gist(r"<(?P<kind>\w+)> (?P<name>[\w-]+)", "yaml|manifest", fillers="full")


@pytest.mark.parametrize(
    "words",
    ["error rate of cider", "show error rate for cider", "what is average error rate of cider",
     "how high is error ratio of cider", "which error rate does cider have", "what was error rate on service cider"],
)  # fmt: skip
def test_what_it_must_hold_may_stand_anywhere(words: str) -> None:
    assert RATE.read(words) == {"name": "cider"}


def test_what_it_may_hold_is_read_too() -> None:
    assert RATE.read("show p95 error rate of cider") == {"quantile": "95", "name": "cider"}
    assert YAML.read("show full yaml of <pods> cider-0") == {"kind": "pods", "name": "cider-0"}
    assert YAML.read("<pods> cider-0 manifest") == {"kind": "pods", "name": "cider-0"}


@pytest.mark.parametrize(
    "words",
    [
        "error rate",
        "rate of cider",
        "error rate of cider and basket",
        "error rate and error ratio of cider",
        "error rate of cider is bad",
        "cider has error rate of basket",
        "i see error rate of cider",
        "why is error rate of cider high",
        "error rate alarms",
        "show retention of error rate",
        "show error rate of everything",
        "show error rate of policy",
        "show error rate of a cider",
        "hopefully error rate",
        "error rate cider",
    ],
)
def test_a_word_that_nothing_explains_means_that_it_is_not_understood(words: str) -> None:
    assert RATE.read(words) is None


def test_a_question_mark_makes_a_question_of_any_order() -> None:
    assert RATE.read("cider has error rate") is None
    assert RATE.read("cider has error rate", asked=True) == {"name": "cider"}


def test_a_telegram_is_understood_where_nothing_else_can_be_meant() -> None:
    assert RATE.read("error rate cider", terse=True) == {"name": "cider"}
    assert RATE.read("error rate leak", terse=True) is None
    assert RATE.read("error rate every cider", terse=True) is None


@pytest.mark.parametrize(
    "words",
    ["cider: which error rate?", "error rate, error rate of cider", "show error rate that cider has",
     "error rate cider-api"],
)  # fmt: skip
def test_marks_and_the_order_of_words_make_no_difference(words: str) -> None:
    found = RATE.read(words)
    assert found is not None
    assert found["name"].startswith("cider")
