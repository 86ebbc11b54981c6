"""Requests to a server on loopback that misbehaves: each ends in one error, in time, and tells no secret."""

from __future__ import annotations

import gzip
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from plugins.observability.agent_gateway_observability.connection import get_json
from plugins.observability.agent_gateway_observability.servers import Place
from plugins.observability.agent_gateway_observability.settings import Limits, ServerSettings
from tests.loopback import serving

import agent_gateway as ag

LIMITS = Limits(timeout_seconds=1, response_bytes=10_000)
SECRET = "hunter2"
#: By path: status, headers, body.
ANSWERS: dict[str, tuple[int, dict[str, str], bytes]] = {
    "/fine": (200, {}, b'{"a": 1}'),
    "/large": (200, {}, b"[" + b"1," * 6000 + b"1]"),
    "/packed": (200, {"content-encoding": "gzip"}, gzip.compress(b'{"a": 1}')),
    "/page": (200, {}, b"<html>hello</html>"),
    "/deep": (200, {}, b"[" * 5000 + b"]" * 5000),
    "/elsewhere": (302, {"location": "http://127.0.0.1:1/fine"}, b""),
    "/stranger": (401, {}, b"who is hunter2?"),
    "/forbidden": (403, {}, b""),
    "/wrong": (400, {}, b'{"status": "error", "error": "parse error: unexpected\\nend"}'),
    "/nothing": (404, {}, b'{"message": "no such trace"}'),
    "/broken": (500, {}, b"<html>stack trace</html>"),
    "/busy": (503, {}, b'{"error": "too many requests"}'),
}


class Misbehaving(BaseHTTPRequestHandler):
    """Answers as listed, remembers what it was asked, and on /slow takes its time."""

    asked: list[tuple[str, dict[str, str]]]

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        self.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        if path == "/slow":
            time.sleep(1.5)
            return
        status, headers, body = ANSWERS[path]
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - its name there
        """Say nothing."""


@pytest.fixture
def asked() -> list[tuple[str, dict[str, str]]]:
    return []


@pytest.fixture
def address(asked: list[tuple[str, dict[str, str]]]) -> Iterator[str]:
    handler = type("Handler", (Misbehaving,), {"asked": asked})
    with serving(handler) as address:
        yield address


def place(url: str, **server: Any) -> Place:
    return Place("prometheus", "air", ServerSettings(url=url, **server))


async def test_an_answer_comes_with_the_credentials_and_headers_of_its_server(
    address: str, asked: list[tuple[str, dict[str, str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_TOKEN", SECRET)
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    there = place(address, token_env="A_TOKEN", headers={"X-Scope-OrgID": "homelab"})
    assert await get_json(there, "/fine", {"query": 'up{a="b"}', "step": 1.5}, LIMITS) == {"a": 1}
    (path, headers), *_ = asked
    assert path == "/fine?query=up%7Ba%3D%22b%22%7D&step=1.5"
    assert headers["authorization"] == f"Bearer {SECRET}"
    assert headers["x-scope-orgid"] == "homelab"
    await get_json(place(address, username="bob", password_env="A_TOKEN"), "/fine", {}, LIMITS)
    assert asked[1][1]["authorization"] == "Basic Ym9iOmh1bnRlcjI="


@pytest.mark.parametrize(
    ("path", "error", "said"),
    [
        ("/large", ag.InvalidInput, "larger than 0.01 MB"),
        ("/packed", ag.Unavailable, "packed"),
        ("/page", ag.Unavailable, "did not answer with JSON"),
        ("/deep", ag.Unavailable, "did not answer with JSON"),
        ("/elsewhere", ag.Unavailable, "redirects elsewhere"),
        ("/stranger", ag.Unavailable, "refuses the credentials (401)"),
        ("/forbidden", ag.Unavailable, "refuses the credentials (403)"),
        ("/wrong", ag.InvalidInput, "refuses the query: parse error: unexpected end"),
        ("/nothing", ag.NotFound, "no such trace"),
        ("/broken", ag.Unavailable, "answered with 500"),
        ("/busy", ag.Unavailable, "answered with 503: too many requests"),
        ("/slow", ag.Unavailable, "did not answer within 1 s"),
    ],
)
async def test_whatever_goes_wrong_is_one_error_without_secrets(
    path: str, error: type[ag.GatewayError], said: str, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_TOKEN", SECRET)
    with pytest.raises(error) as caught:
        await get_json(place(address, token_env="A_TOKEN"), path, {}, LIMITS)
    assert said in caught.value.detail
    assert "Prometheus of 'air'" in caught.value.detail
    assert SECRET not in str(caught.value)
    assert "stack trace" not in str(caught.value)


async def test_a_server_that_is_not_there_is_said_to_be_so() -> None:
    with pytest.raises(ag.Unavailable, match="nothing answers at its address"):
        await get_json(place("http://127.0.0.1:1"), "/fine", {}, LIMITS)


async def test_a_token_that_is_missing_is_noticed_before_anything_is_sent(
    address: str, asked: list[tuple[str, dict[str, str]]]
) -> None:
    with pytest.raises(ag.Unavailable, match="NOT_SET_ANYWHERE holds no secret"):
        await get_json(place(address, token_env="NOT_SET_ANYWHERE"), "/fine", {}, LIMITS)
    assert asked == []


async def test_certificates_that_cannot_be_read_are_named() -> None:
    with pytest.raises(ag.Unavailable, match="no certificates can be read from /nowhere"):
        await get_json(place("https://127.0.0.1:1", ca_file="/nowhere"), "/fine", {}, LIMITS)
