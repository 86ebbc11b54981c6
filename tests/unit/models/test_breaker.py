from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from agent_gateway.config.models import BreakerSettings
from agent_gateway.errors import ModelFailed
from agent_gateway.models.breaker import Breaker, Permit

SLOW = ModelFailed("slow", code="model_timeout", transient=True)
REFUSED = ModelFailed("connection refused", code="model_unreachable")


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker(BreakerSettings(failures=3, cooldown_seconds=10, longest_seconds=30), clock)


def admitted(breaker: Breaker) -> Permit:
    permit = breaker.admit()
    assert permit is not None
    return permit


def askable(breaker: Breaker) -> bool:
    return breaker.askable


def fail(breaker: Breaker, error: ModelFailed = SLOW, *, cut: bool = False) -> None:
    breaker.fail(admitted(breaker), error, error.detail, cut=cut)


def test_it_opens_after_so_many_failures_in_a_row(breaker: Breaker) -> None:
    for _ in range(2):
        fail(breaker)
    breaker.succeed(admitted(breaker))
    for _ in range(2):
        fail(breaker)
    assert askable(breaker)
    fail(breaker)
    assert not askable(breaker)
    assert breaker.admit() is None


def test_one_probe_passes_when_the_time_is_over(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, REFUSED)
    clock.now += 9.9
    assert breaker.admit() is None
    clock.now += 0.1
    probe = admitted(breaker)
    assert not askable(breaker)
    assert breaker.why == "connection refused (10 s ago, being tried again now)"
    assert breaker.admit() is None
    breaker.succeed(probe)
    assert askable(breaker)
    assert breaker.why == ""


def test_each_failed_probe_doubles_the_time_up_to_the_longest(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, REFUSED)
    for seconds in (10, 20, 30, 30):
        clock.now += seconds - 0.1
        assert not askable(breaker)
        clock.now += 0.1
        fail(breaker)
    clock.now += 30
    breaker.succeed(admitted(breaker))
    fail(breaker, REFUSED)
    clock.now += 10
    assert askable(breaker)


@pytest.mark.parametrize("code", ["model_unreachable", "model_unauthorized", "model_not_found", "model_key_missing"])
def test_what_cannot_get_better_opens_it_at_once(breaker: Breaker, code: str) -> None:
    fail(breaker, ModelFailed("no", code=code))
    assert not askable(breaker)


def test_an_answer_cut_in_the_middle_opens_it_at_once(breaker: Breaker) -> None:
    permit = admitted(breaker)
    breaker.succeed(permit)
    breaker.fail(permit, SLOW, "cut", cut=True)
    assert not askable(breaker)


@pytest.mark.parametrize(
    "error",
    [ModelFailed("too long", code="model_context_too_long", unfit=True), ModelFailed("bad", code="model_rejected")],
)
def test_a_request_that_does_not_suit_never_counts(breaker: Breaker, clock: Clock, error: ModelFailed) -> None:
    for _ in range(5):
        fail(breaker, error)
    assert askable(breaker)
    fail(breaker, REFUSED)
    clock.now += 10
    fail(breaker, error)
    assert askable(breaker)  # the probe said nothing, so the next call is one


def test_a_probe_that_was_cancelled_leaves_the_next_one_its_place(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, REFUSED)
    clock.now += 10
    breaker.leave(admitted(breaker))
    assert askable(breaker)


def test_it_rests_as_long_as_the_server_wishes(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, ModelFailed("too many", code="model_rate_limited", transient=True, retry_after=45.0))
    clock.now += 44.9
    assert not askable(breaker)
    assert breaker.why == "too many (45 s ago, next try in 1 s)"
    clock.now += 0.1
    assert askable(breaker)


def test_no_server_is_left_alone_for_ever_and_the_log_says_when_one_is(breaker: Breaker, clock: Clock) -> None:
    with capture_logs() as lines:
        fail(breaker, ModelFailed("too many", code="model_rate_limited", transient=True, retry_after=1e9))
    assert [(each["event"], each["seconds"]) for each in lines] == [("model_left_alone", 3600.0)]
    clock.now += 3600
    assert askable(breaker)


def test_calls_that_began_before_it_opened_change_nothing(breaker: Breaker, clock: Clock) -> None:
    early = [admitted(breaker) for _ in range(5)]
    fail(breaker, REFUSED)
    for permit in early[:3]:
        breaker.fail(permit, REFUSED, "connection refused")
    breaker.succeed(early[3])
    breaker.leave(early[4])
    assert not askable(breaker)
    clock.now += 10
    assert askable(breaker)
