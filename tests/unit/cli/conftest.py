"""The command line in this process, in an empty working folder."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
import pytest

from agent_gateway.cli import main


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one document it wrote."""
        return msgspec.json.decode(self.out)


@pytest.fixture
def own_logs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the logs of this process as they are: a command's own would outlive it, and its standard error."""
    for module in ("administration", "diagnosis"):
        monkeypatch.setattr(f"agent_gateway.cli.{module}.configure_logs", lambda *_: None)


Cli: TypeAlias = Callable[..., Done]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder; nothing of the environment reaches the settings."""
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.startswith("AGENT_GATEWAY"):
            monkeypatch.delenv(name)
    return tmp_path


@pytest.fixture
def cli(home: Path, capsys: pytest.CaptureFixture[str]) -> Cli:
    """Run a command and return what it wrote and its exit code."""
    assert home == Path.cwd()

    def run(*arguments: str) -> Done:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        written = capsys.readouterr()
        code = ended.value.code
        assert isinstance(code, int)
        return Done(code, written.out, written.err)

    return run
