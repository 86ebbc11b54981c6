from __future__ import annotations

from typing import Any

import pytest

from agent_gateway.api.identifiers import check_id, last_event_id, request_id
from agent_gateway.errors import InvalidInput, NotFound


def scope(name: str, value: bytes) -> dict[str, Any]:
    return {"headers": [(name.encode(), value)]}


def test_a_harmless_request_id_is_kept() -> None:
    assert request_id(scope("x-request-id", b"trace-1.a_B")) == "trace-1.a_B"


@pytest.mark.parametrize("given", [b"", b"a b", b"a\xff", b"a" * 65, b"a\r\nset-cookie: x", b"{}"])
def test_any_other_request_id_is_replaced(given: bytes) -> None:
    made = request_id(scope("x-request-id", given))
    assert made != given.decode("latin-1")
    assert len(made) == 16


def test_request_ids_differ() -> None:
    assert request_id({"headers": []}) != request_id({"headers": []})


@pytest.mark.parametrize("value", ["", "a/b", "a\0", "ÿ", "a" * 65, "run 1", "'; drop"])
def test_an_id_the_gateway_cannot_have_made_is_not_found(value: str) -> None:
    with pytest.raises(NotFound) as caught:
        check_id(value, "run")
    assert caught.value.code == "run_not_found"


@pytest.mark.parametrize(("given", "expected"), [(b"0", 0), (b"17", 17), (b"999999999999999", 999_999_999_999_999)])
def test_the_last_event_id_is_a_whole_number(given: bytes, expected: int) -> None:
    assert last_event_id(scope("last-event-id", given)) == expected


def test_without_a_last_event_id_a_stream_starts_at_its_start() -> None:
    assert last_event_id({"headers": []}) == 0


@pytest.mark.parametrize("given", [b"", b"-1", b"1.5", b"x", b"1" * 16, "\u0661".encode(), b"0x1"])
def test_any_other_last_event_id_is_refused(given: bytes) -> None:
    with pytest.raises(InvalidInput) as caught:
        last_event_id(scope("last-event-id", given))
    assert caught.value.code == "invalid_last_event_id"
