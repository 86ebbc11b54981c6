"""What plugins' settings name is read, so that it is hidden before a plugin uses it."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict

from agent_gateway.registry import held_secrets


class Server(BaseModel):
    """A server, as a plugin's settings have it."""

    url: str = ""
    token_env: str = ""
    headers_env: dict[str, str] = {}
    token_file: Path | None = None
    ca_file: Path | None = None


class Settings(BaseModel):
    """Servers by name, in a list, and alone."""

    named: dict[str, Server] = {}
    listed: list[Server] = []
    one: Server | None = None
    mcp_token_env: str = ""


def found(settings: Settings) -> list[str]:
    return sorted(held_secrets({"plugin": settings}))


def test_variables_are_read_wherever_they_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in "ABCDE":
        monkeypatch.setenv(name, f"value of {name}")
    settings = Settings(
        named={"x": Server(token_env="A")},
        listed=[Server(headers_env={"X-Key": "B", "X-Other": "C"})],
        one=Server(token_env="D"),
        mcp_token_env="E",
    )
    assert found(settings) == [f"value of {name}" for name in "ABCDE"]


def test_files_of_tokens_are_read_and_those_of_certificates_are_not(tmp_path: Path) -> None:
    for name in ("token", "ca"):
        (tmp_path / name).write_text(name * 10)
    server = Server(token_file=tmp_path / "token", ca_file=tmp_path / "ca")
    assert found(Settings(one=server)) == ["token" * 10]


def test_what_is_not_there_hides_nothing(tmp_path: Path) -> None:
    (tmp_path / "large").write_text("x" * 30_000)
    (tmp_path / "raw").write_bytes(b"\xff\xfe")
    files = [Server(token_file=tmp_path / name) for name in ("none", "large", "raw", "")]
    assert found(Settings(listed=files, mcp_token_env="NOT_SET_ANYWHERE")) == []


class Open(BaseModel):
    """Settings that hold anything."""

    model_config = ConfigDict(arbitrary_types_allowed=True, extra="allow")

    anything: Any = None
    token_env: str = "A"


class Odd:
    """Something that cannot be walked through."""

    def __iter__(self) -> None:
        raise RuntimeError


@pytest.mark.parametrize("anything", [threading.Lock(), Odd(), b"\xff\xfe", float("inf"), object, {1: 2, None: "x"}])
def test_what_is_no_text_is_passed_over(anything: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A", "value of A")
    assert list(held_secrets({"plugin": Open(anything=anything)})) == ["value of A"]


def test_settings_that_hold_themselves_end() -> None:
    around: list[Any] = []
    around.append(around)
    assert list(held_secrets({"plugin": Open(anything=around, token_env="NOT_SET_ANYWHERE")})) == []


def test_names_in_a_mapping_of_mappings_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in "AB":
        monkeypatch.setenv(name, f"value of {name}")
    given = {"headers_env": {"X-Key": {"name": "A"}, "X-Other": [{"from": "B"}]}}
    assert sorted(held_secrets({"plugin": Open(anything=given, token_env="")})) == ["value of A", "value of B"]
    assert sorted(held_secrets({"plugin": Open.model_validate({"token_env": "A", "OTHER_ENV": "B"})})) == [
        "value of A",
        "value of B",
    ]


def test_a_name_that_no_variable_can_have_hides_nothing() -> None:
    assert list(held_secrets({"plugin": Open(token_env="\ud800", anything={"key_file": "\0", "x_env": "\0="})})) == []


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert found(Settings(one=Server(token_file=tmp_path / "pipe"))) == []
