from __future__ import annotations

import msgspec
import pytest
from structlog.testing import capture_logs

from agent_gateway.api.problems import HttpError, ProblemDocument, problem
from agent_gateway.errors import (
    Conflict,
    GatewayError,
    InvalidInput,
    NotFound,
    StorageFailed,
    Unavailable,
)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (InvalidInput("x"), 400),
        (NotFound("x"), 404),
        (Conflict("x"), 409),
        (Unavailable("x"), 503),
        (StorageFailed("x"), 503),
        (GatewayError("x"), 500),
        (HttpError(418, "teapot", "x"), 418),
    ],
)
def test_each_kind_of_error_has_its_status(error: GatewayError, status: int) -> None:
    answer = problem(error, "r1")
    document = msgspec.json.decode(answer.body, type=ProblemDocument)
    assert answer.status == document.status == status
    assert (document.code, document.detail, document.request_id) == (error.code, "x", "r1")
    assert (b"content-type", b"application/problem+json") in answer.headers


def test_a_kind_that_is_not_in_the_table_has_the_status_of_its_nearest_parent() -> None:
    class Draining(Unavailable):
        code = "draining"

    answer = problem(Draining("x", retry_after=7), "r1")
    assert answer.status == 503
    assert (b"retry-after", b"7") in answer.headers


def test_a_hint_is_shown_only_when_there_is_one() -> None:
    assert b'"hint":"do that"' in problem(NotFound("x", hint="do that"), "r1").body
    assert b"hint" not in problem(NotFound("x"), "r1").body


def test_a_bug_is_logged_in_full_and_shown_without_detail() -> None:
    with capture_logs() as lines:
        answer = problem(KeyError("a password"), "r1")
    assert answer.status == 500
    assert b"internal_error" in answer.body
    assert b"password" not in answer.body
    assert isinstance(lines[0]["exc_info"], KeyError)
