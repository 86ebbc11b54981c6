from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from agent_gateway.cli.output import Output

Terminal = Callable[[], None]
ROWS = [("echo", 30107), ("two\nlines", "tab\there")]


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Call it to have standard output say that it is a terminal."""
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("TERM", "dumb")
    return lambda: monkeypatch.setattr(sys.stdout, "isatty", lambda: True)


def test_a_table_in_a_pipe_is_one_line_of_tab_separated_values_a_row(capsys: pytest.CaptureFixture[str]) -> None:
    Output(as_json=False).table(("ID", "PORT"), ROWS)
    assert capsys.readouterr().out == "ID\tPORT\necho\t30107\ntwo lines\ttab here\n"


def test_a_table_on_a_terminal_is_aligned(capsys: pytest.CaptureFixture[str], terminal: Terminal) -> None:
    terminal()
    Output(as_json=False).table(("ID", "PORT"), [("echo", 1), ("a", 2)])
    lines = capsys.readouterr().out.splitlines()
    columns = [line.rindex(last) for line, last in zip(lines, ("PORT", "1", "2"), strict=True)]
    assert columns[0] == columns[1] == columns[2]


def test_text_is_never_taken_for_markup(capsys: pytest.CaptureFixture[str], terminal: Terminal) -> None:
    terminal()
    Output(as_json=False).text("[1] see [bold]here[/bold] :smile:", end="")
    assert capsys.readouterr().out == "[1] see [bold]here[/bold] :smile:"


def test_long_text_is_not_broken_by_us(capsys: pytest.CaptureFixture[str], terminal: Terminal) -> None:
    terminal()
    Output(as_json=False).text("word " * 100)
    assert capsys.readouterr().out.count("\n") == 1


def test_json_stays_json_on_a_terminal(capsys: pytest.CaptureFixture[str], terminal: Terminal) -> None:
    terminal()
    output = Output(as_json=True)
    output.document({"path": Path("x")})
    output.record({"n": 1})
    assert not output.rich
    first, _, second = capsys.readouterr().out.rpartition("}\n{")
    assert msgspec.json.decode(first + "}") == {"path": "x"}
    assert second == '"n":1}\n'


ODD = "a\x1b]0;pwned\x07b\x9b2Jc\u202ed\u200be\U000e0041\r\nf\tg"
SHOWN = "a\\u001b]0;pwned\\u0007b\\u009b2Jc\\u202ed\\u200be\\udb40\\udc41\nf\tg"


@pytest.mark.parametrize("rich", [False, True])
def test_nothing_is_written_that_a_terminal_would_obey(
    capsys: pytest.CaptureFixture[str], terminal: Terminal, rich: bool
) -> None:
    if rich:
        terminal()
    output = Output(as_json=False)
    output.text(ODD)
    assert capsys.readouterr().out.split() == SHOWN.split()
    output.table(("WHAT",), [("\x1b[2J\u202ex",)])
    assert "\\u001b[2J\\u202ex" in capsys.readouterr().out
    output.warn(ODD)
    assert capsys.readouterr().err == f"Warning: {SHOWN}\n"


def test_json_says_the_same_without_what_a_terminal_would_obey(capsys: pytest.CaptureFixture[str]) -> None:
    Output(as_json=True).record({"text": ODD})
    written = capsys.readouterr().out
    assert written.isascii()
    assert msgspec.json.decode(written) == {"text": ODD}


def test_writing_of_people_stays_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    text = "Größe 厘米 — ☃ می‌خواهم 👩‍💻"  # with joiners
    Output(as_json=False).text(text)
    assert capsys.readouterr().out == text + "\n"
