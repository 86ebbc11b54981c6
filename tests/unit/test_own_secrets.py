"""What the gateway itself holds is hidden from the moment it is read."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import structlog
from tests.memory_records import NOWHERE, an_executor

from agent_gateway.cli.lookup import find_gateway
from agent_gateway.completion import ModelSpec
from agent_gateway.config import read_configuration
from agent_gateway.errors import ModelFailed
from agent_gateway.knowledge.lock import DataLock
from agent_gateway.logs import configure_logs
from agent_gateway.messages import ROLES
from agent_gateway.models.keys import read_key
from agent_gateway.persona import Persona
from agent_gateway.redaction import MARK, known_secrets, redact
from agent_gateway.server.hosting import open_house
from agent_gateway.testing.gateway import WrittenPersonas, configure, register
from agent_gateway.tool import ToolCall, tool

#: Nothing about it looks like a secret.
KEY = "correct-horse-battery"
NORA = Persona(id="nora", title="N", prompt="N", tools=("show",))


@pytest.fixture(autouse=True)
def _restore() -> Iterator[None]:
    root, config = logging.getLogger(), structlog.get_config()
    handlers, level, values = root.handlers[:], root.level, known_secrets.values
    known_secrets.clear()
    yield
    known_secrets.clear()
    known_secrets.register(*values)
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.configure(**config)


def spec(*, key_env: str = "", key_file: str = "") -> ModelSpec:
    return ModelSpec(model="openai/small", key_env=key_env, key_file=key_file)


def logged(text: str) -> str:
    """What a log line, the gateway's and a library's, shows of a text."""
    stream = io.StringIO()
    configure_logs(stream=stream)
    structlog.get_logger().info("said", detail=text, nested={"parts": [text]})
    logging.getLogger("library").warning("it says %s", text)
    return stream.getvalue()


async def shown(text: str) -> str:
    """What a model is shown of a tool's output."""

    async def show() -> str:
        """Show it."""
        return text

    turn = SimpleNamespace(persona=NORA, run_id="run-1", deadline=float("inf"), owner="local", roles=ROLES)
    call = ToolCall(id="c", name="show", arguments={})
    return (await an_executor({"show": tool(show)}, {}, NOWHERE).call(call, turn)).text


@pytest.mark.parametrize("place", ["environment", "file"])
async def test_a_model_s_key_is_hidden_once_it_was_read(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOUSE_KEY", f" {KEY}\n")
    (tmp_path / "key").write_text(f"{KEY}\n")
    text = f"the file says {KEY}, and no more"
    assert KEY in logged(text)
    named = spec(key_env="HOUSE_KEY") if place == "environment" else spec(key_file=str(tmp_path / "key"))
    assert read_key(named) == KEY
    assert KEY not in logged(text)
    assert MARK in logged(text)
    assert await shown(text) == f"the file says {MARK}, and no more"


def test_a_key_that_was_replaced_stays_a_secret(tmp_path: Path) -> None:
    path = tmp_path / "key"
    for key in (KEY, "another-horse-altogether"):
        path.write_text(key)
        read_key(spec(key_file=str(path)))
    assert redact(f"{KEY} another-horse-altogether") == f"{MARK} {MARK}"


def test_a_word_that_stands_for_a_key_stays_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOUSE_KEY", "ollama")
    assert read_key(spec(key_env="HOUSE_KEY")) == "ollama"
    assert redact("start ollama first") == "start ollama first"


def test_what_is_no_key_is_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOUSE_KEY", "these are words")
    with pytest.raises(ModelFailed):
        read_key(spec(key_env="HOUSE_KEY"))
    assert not known_secrets.values


async def test_the_control_token_is_hidden_as_long_as_it_opens_anything(tmp_path: Path) -> None:
    configuration = configure(tmp_path, (), {})
    served = Persona(id="otto", port=30198, title="O", prompt="O")
    with open_house(configuration, register(configuration, [WrittenPersonas([served])])) as house:
        text = f"curl -H {house.token}"
        assert house.token not in logged(text)
        assert await shown(text) == f"curl -H {MARK}"
    assert not known_secrets.values


def test_the_control_token_is_hidden_from_the_command_line_that_reads_it(tmp_path: Path) -> None:
    configuration = read_configuration(folder=tmp_path, environ={})
    with DataLock(configuration.settings.data_dir) as lock:
        assert find_gateway(configuration) is None
        assert not known_secrets.values
        lock.publish("http://127.0.0.1:1", KEY)
        assert find_gateway(configuration) is not None
    assert KEY not in logged(f"the token is {KEY}")
