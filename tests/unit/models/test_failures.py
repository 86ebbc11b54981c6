"""What servers say of an error, and what becomes of it."""

from __future__ import annotations

import json
import time
from email.utils import formatdate
from pathlib import Path

import msgspec
import pytest

from agent_gateway.completion import ModelSpec
from agent_gateway.models.failures import (
    QUOTED,
    malformed,
    quote,
    read_error,
    refused,
    reported,
    seconds_of,
    stream_cut,
    unreachable,
)

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


@pytest.mark.parametrize("status", [400, 401, 404, 413, 418, 429, 500, 503])
@pytest.mark.parametrize(
    "words",
    [
        "Incorrect API key provided: sk-s3cret12",
        "you sent 'Authorization: Bearer s3cret12'",
        "bad request: api_key=s3cret12&x=1",
        '{"error": {"message": "the header was Bearer s3cret12, why?"}}',
        '{"other": {"api_key": "s3cret12"}}',
    ],
)
def test_what_looks_like_a_key_is_not_shown(status: int, words: str) -> None:
    for error in (
        refused(SPEC, status, words),
        reported(SPEC, words),
        reported(SPEC, {"code": status, "message": words}),
    ):
        assert "s3cret12" not in str(error)
    for error in (unreachable(SPEC, ValueError(words)), malformed(SPEC, words), stream_cut(SPEC, words)):
        assert "s3cret12" not in str(error)
        assert "***" in str(error)


@pytest.mark.parametrize("key", ["house-7/keys+of=Nora", "k1", "a.b(c"])
def test_the_models_own_key_is_not_shown_wherever_it_is_kept(
    key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOUSE_KEY", key)
    (tmp_path / "key").write_text(f"{key}\n", encoding="utf-8")
    for spec in (
        msgspec.structs.replace(SPEC, key_env="HOUSE_KEY"),
        msgspec.structs.replace(SPEC, key_file=str(tmp_path / "key")),
    ):
        assert refused(spec, 400, f"'{key}' may not, k12").detail.endswith("status 400, '***' may not, k12")
        # Not the half of it that the limit of the words would leave.
        assert key[:1] not in refused(spec, 400, "-" * (QUOTED - 2) + key).detail.partition("400")[2]


def test_a_key_that_is_gone_hides_nothing_of_the_servers_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOUSE_KEY", raising=False)
    spec = msgspec.structs.replace(SPEC, key_env="HOUSE_KEY")
    assert refused(spec, 503, "asking for a task-list of the desk").detail.endswith(
        "asking for a task-list of the desk"
    )


@pytest.mark.parametrize(
    "error",
    [
        {"code": "invalid_api_key", "message": "Incorrect API key provided: sk-s3cret12"},
        {"code": "Unauthorized", "message": "s3cret12?"},
        {"type": "authentication_error", "message": "invalid x-api-key s3cret12"},
    ],
)
def test_an_error_that_names_the_key_is_one_of_the_key_whatever_the_status(error: dict[str, str]) -> None:
    bodies = [json.dumps(each) for each in (error, {"error": error}, {"type": "error", "error": error})]
    for failure in (reported(SPEC, error), *(refused(SPEC, status, body) for status in (400, 500) for body in bodies)):
        assert (failure.code, failure.transient, failure.unfit) == ("model_unauthorized", False, False)
        assert "refuses the key" in failure.detail
        assert "s3cret12" not in str(failure)


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
    assert read_error(body)[0] == words


def test_words_are_one_short_printable_line() -> None:
    assert quote(SPEC, "a\nb\t\x1b[31mc\u2028d\u202ee") == "a b [31mc d e"
    assert len(quote(SPEC, "word " * 1000)) == QUOTED


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
