from __future__ import annotations

from typing import Any

import msgspec
import pytest

from agent_gateway.api.bodies import check_media_type, decode, read_body
from agent_gateway.api.problems import HttpError
from agent_gateway.api.shapes import TEXT_LIMIT, ChatRequest, SearchRequest
from agent_gateway.errors import InvalidInput

CHAT = msgspec.json.Decoder(ChatRequest)
SEARCH = msgspec.json.Decoder(SearchRequest)


class Arriving:
    """A body that arrives in pieces, and counts those that were asked for."""

    def __init__(self, *pieces: bytes, hangs_up: bool = False) -> None:
        self.pieces = list(pieces)
        self.hangs_up = hangs_up
        self.taken = 0

    async def __call__(self) -> dict[str, Any]:
        if not self.pieces and self.hangs_up:
            return {"type": "http.disconnect"}
        self.taken += 1
        piece = self.pieces.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(self.pieces) or self.hangs_up}


def scope(**headers: str) -> dict[str, Any]:
    return {"headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]}


async def test_a_body_in_pieces_is_put_together() -> None:
    assert await read_body(scope(), Arriving(b"ab", b"", b"cd"), limit=4) == b"abcd"


async def test_a_body_that_announces_too_much_is_refused_unread() -> None:
    arriving = Arriving(b"abcde")
    with pytest.raises(HttpError) as caught:
        await read_body(scope(content_length="5"), arriving, limit=4)
    assert (caught.value.status, caught.value.code, arriving.taken) == (413, "body_too_large", 0)
    assert (b"connection", b"close") in caught.value.headers


async def test_a_body_that_announces_nothing_is_refused_at_the_limit() -> None:
    arriving = Arriving(b"abc", b"def", b"ghi")
    with pytest.raises(HttpError) as caught:
        await read_body(scope(), arriving, limit=4)
    assert (caught.value.status, arriving.taken) == (413, 2)


async def test_a_caller_that_hangs_up_in_its_body_is_not_answered_as_if_it_were_whole() -> None:
    with pytest.raises(HttpError) as caught:
        await read_body(scope(), Arriving(b"{", hangs_up=True), limit=100)
    assert caught.value.code == "incomplete_body"


@pytest.mark.parametrize(
    "given", ["application/json", "Application/JSON; charset=UTF-8", 'application/json;charset="utf-8"']
)
def test_json_is_accepted_however_it_is_spelled(given: str) -> None:
    check_media_type(scope(content_type=given))


@pytest.mark.parametrize("given", ["text/plain", "application/jsonx", "application/json; charset=latin-1", ""])
def test_anything_else_is_unsupported(given: str) -> None:
    with pytest.raises(HttpError) as caught:
        check_media_type(scope(content_type=given))
    assert caught.value.status == 415


@pytest.mark.parametrize(
    ("body", "code", "says"),
    [
        (b"", "invalid_input", "empty"),
        (b"{", "invalid_json", "not valid JSON"),
        (b'{"message":"\xff"}', "invalid_json", "UTF-8"),
        (b'{"message":"\\ud800"}', "invalid_json", "not valid JSON"),
        (b"[" * 100_000, "invalid_input", "Expected `object`"),
        (b'{"message":' + b"[" * 100_000, "invalid_input", "$.message"),
        (b'{"message":"a","extra":1}', "invalid_input", "unknown field `extra`"),
        (b'{"message":1}', "invalid_input", "$.message"),
        (b'{"message":"a","stream":"yes"}', "invalid_input", "$.stream"),
        (b"{}", "invalid_input", "missing required field `message`"),
        (b'{"message":""}', "invalid_input", "`message` is blank"),
        (b'{"message":" \\n\\t "}', "invalid_input", "`message` is blank"),
        (b'{"message":"a\\u0000b"}', "invalid_input", "NUL"),
        (b'{"message":"a","conversation_id":"\\u0000"}', "invalid_input", "`conversation_id` contains a NUL"),
        (b'{"message":"' + b"a" * (TEXT_LIMIT + 1) + b'"}', "invalid_input", "longer than 32000"),
    ],
)
def test_a_bad_body_is_refused_with_the_reason(body: bytes, code: str, says: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        decode(body, CHAT)
    assert caught.value.code == code
    assert says in caught.value.detail


def test_nesting_that_only_a_skipped_field_has_is_refused_too() -> None:
    class Lenient(msgspec.Struct):
        message: str

    body = b'{"other":' + b"[" * 100_000 + b"]" * 100_000 + b',"message":"a"}'
    with pytest.raises(InvalidInput) as caught:
        decode(body, msgspec.json.Decoder(Lenient))
    assert caught.value.code == "invalid_json"


def test_the_reason_does_not_repeat_a_huge_body() -> None:
    with pytest.raises(InvalidInput) as caught:
        decode(b'{"' + b"k" * 100_000 + b'":1}', CHAT)
    assert len(caught.value.detail) < 400


def test_the_longest_message_is_accepted() -> None:
    assert len(decode(b'{"message":"' + b"a" * TEXT_LIMIT + b'"}', CHAT).message) == TEXT_LIMIT


@pytest.mark.parametrize(("limit", "fits"), [("1", True), ("100", True), ("7.0", True), ("0", False), ("101", False)])
def test_a_page_size_is_a_whole_number_however_json_writes_it(limit: str, fits: bool) -> None:
    body = f'{{"query":"a","collection":"b","limit":{limit}}}'.encode()
    if fits:
        assert decode(body, SEARCH).limit == float(limit)
    else:
        with pytest.raises(InvalidInput):
            decode(body, SEARCH)
