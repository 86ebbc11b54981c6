from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import BinaryIO

import pytest

from agent_gateway.cli.prompt import InputLines


@pytest.fixture
def keyboard(monkeypatch: pytest.MonkeyPatch) -> Iterator[BinaryIO]:
    """What is written to it is standard input."""
    read, write = os.pipe()
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(fileno=lambda: read))
    with os.fdopen(write, "wb", buffering=0) as end:
        yield end
    os.close(read)


async def test_lines_come_one_by_one_behind_the_prompt(keyboard: BinaryIO, capsys: pytest.CaptureFixture[str]) -> None:
    keyboard.write(b"one\ntwo")
    keyboard.close()
    assert [line async for line in InputLines("> ")] == ["one\n", "two"]
    assert capsys.readouterr().out == "> > > "


async def test_the_next_line_is_only_asked_for_when_it_is_wanted(
    keyboard: BinaryIO, capsys: pytest.CaptureFixture[str]
) -> None:
    keyboard.write(b"one\ntwo\n")
    async for line in InputLines("> "):
        assert line == "one\n"
        assert capsys.readouterr().out == "> "
        break


async def test_what_is_not_utf8_is_replaced(keyboard: BinaryIO) -> None:
    keyboard.write(b"caf\xe9\n")
    keyboard.close()
    assert [line async for line in InputLines("")] == ["caf\ufffd\n"]
