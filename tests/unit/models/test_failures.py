"""What servers say of an error, and what becomes of it."""

from __future__ import annotations

import json
import time
from email.utils import formatdate

import pytest

from agent_gateway.completion import ModelSpec
from agent_gateway.models.failures import QUOTED, quote, refused, seconds_of, unreachable, words_of

SPEC = ModelSpec(model="ollama_chat/llama3:8b", address="http://ollama.lan:11434")


@pytest.mark.parametrize(
    ("status", "words", "code"),
    [
        (400, "This model's maximum context length is 4096 tokens. However, you requested 5000", "context_too_long"),
        (400, "The decoder prompt (length 5000) is longer than the maximum model length of 4096", "context_too_long"),
        (400, "the request exceeds the available context size, try increasing it", "context_too_long"),
        (400, "input length exceeds the context length", "context_too_long"),
        (413, "Payload Too Large", "context_too_long"),
        (400, '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser', "tools_unsupported"),
        (400, "registry.ollama.ai/library/llama3:8b does not support tools", "tools_unsupported"),
        (400, "tools param requires --jinja flag", "tools_unsupported"),
        (400, "Invalid parameter: 'response_format' of type 'json_schema' is not supported", "schema_unsupported"),
        (422, "Failed to convert the grammar from GBNF", "schema_unsupported"),
        (400, "invalid JSON schema in format", "schema_unsupported"),
        (400, "temperature must be non-negative", "rejected"),
        (400, "the model is at full capacity of its stool", "rejected"),
        (418, "does not support tools", "rejected"),
        (301, "", "rejected"),
        (401, "no", "unauthorized"),
        (403, "no", "unauthorized"),
        (404, "model 'llama3:8b' not found", "not_found"),
        (429, "slow down", "rate_limited"),
        (500, "does not support tools", "overloaded"),
        (502, "", "overloaded"),
        (503, "busy", "overloaded"),
        (504, "", "overloaded"),
    ],
)
def test_status_and_words_give_the_code(status: int, words: str, code: str) -> None:
    for body in (words, json.dumps({"error": words}), json.dumps({"error": {"message": words}}).encode()):
        error = refused(SPEC, status, body)
        assert error.code == f"model_{code}"
        assert error.unfit is code.endswith(("too_long", "unsupported"))
        assert error.transient is (code in {"rate_limited", "overloaded"})
        assert error.detail.startswith("ollama_chat/llama3:8b at http://ollama.lan:11434 ")


def test_a_key_that_a_server_repeats_is_not_shown() -> None:
    assert "sk-secret" not in str(refused(SPEC, 401, "Incorrect API key provided: sk-secret"))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"error": {"message": "no", "code": 1}}', "no"),
        (b'{"error": "no"}', "no"),
        (b'{"detail": "no"}', "no"),
        (b'{"message": "no"}', "no"),
        (b'{"detail": [{"msg": "no"}]}', "[{'msg': 'no'}]"),
        (b'{"other": 1}', '{"other": 1}'),
        (b"<html>no</html>", "<html>no</html>"),
        (b"\xff\xfe", "\ufffd\ufffd"),
        (b"[" * 5000, "[" * 5000),
        (b"", ""),
    ],
)
def test_words_are_found_in_any_body(body: bytes, words: str) -> None:
    assert words_of(body) == words


def test_words_are_one_short_printable_line() -> None:
    assert quote("a\nb\t\x1b[31mc\u2028d\u202ee") == "a b [31mc d e"
    assert len(quote("word " * 1000)) == QUOTED


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("7", 7), (" 0.5 ", 0.5), ("0", 0), ("-1", None), ("nan", None), ("inf", None), ("soon", None), ("", None)],
)
def test_a_time_to_wait_is_a_number(value: str, seconds: float | None) -> None:
    assert seconds_of(value) == seconds


def test_a_time_to_wait_is_a_date() -> None:
    assert seconds_of(formatdate(time.time() + 100, usegmt=True)) == pytest.approx(100, abs=2)
    assert seconds_of(formatdate(time.time() - 100, usegmt=True)) == 0


def test_the_network_speaks_for_itself() -> None:
    wrapped = RuntimeError("All connection attempts failed")
    wrapped.__cause__ = ConnectionRefusedError(111, "Connect call failed ('127.0.0.1', 1)")
    assert unreachable(SPEC, wrapped).detail.endswith("cannot be reached: the connection was refused")
