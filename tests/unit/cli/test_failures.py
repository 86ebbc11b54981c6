from __future__ import annotations

import msgspec
import pytest
from tests.unit.cli.conftest import Cli

from agent_gateway.cli.failures import ExitCode, exit_code, report
from agent_gateway.errors import ConfigurationError, Conflict, Fault, GatewayError, NotFound, Unavailable


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (NotFound("gone"), ExitCode.FAILED),
        (Conflict("busy", code="data_locked"), ExitCode.UNREACHABLE),
        (Unavailable("nobody", code="gateway_unreachable"), ExitCode.UNREACHABLE),
        (Unavailable("wait", code="starting"), ExitCode.UNREACHABLE),
        (Unavailable("bye", code="shutting_down"), ExitCode.UNREACHABLE),
        (Unavailable("full", code="too_many_runs"), ExitCode.FAILED),
    ],
)
def test_the_exit_code_tells_what_waiting_would_cure(error: GatewayError, code: ExitCode) -> None:
    assert exit_code(error) is code


def test_an_error_is_one_sentence_and_a_hint(capsys: pytest.CaptureFixture[str]) -> None:
    report(NotFound("there is no persona 'x'", hint="known are: echo"), as_json=False)
    assert capsys.readouterr() == ("", "Error: there is no persona 'x'\nHint: known are: echo\n")


def test_an_error_is_one_line_of_json_when_asked(capsys: pytest.CaptureFixture[str]) -> None:
    report(NotFound("gone", code="run_not_found", hint="look again"), as_json=True)
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert msgspec.json.decode(err) == {"error": {"code": "run_not_found", "detail": "gone", "hint": "look again"}}


def test_all_faults_of_a_configuration_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    faults = (Fault("a.yaml", "port", "is wrong"), Fault("b.yaml", "host", "is missing"))
    report(ConfigurationError(faults), as_json=False)
    err = capsys.readouterr().err
    assert "a.yaml: port: is wrong" in err
    assert "b.yaml: host: is missing" in err


@pytest.mark.parametrize("place", ["before", "after"])
def test_errors_are_json_wherever_the_flag_stands(cli: Cli, place: str) -> None:
    arguments = ["collections", "--json", "drop", "x"] if place == "before" else ["collections", "drop", "x", "--json"]
    done = cli(*arguments, "--config", "missing.yaml")
    assert done.code == 1
    assert msgspec.json.decode(done.err)["error"]["code"] == "configuration"


@pytest.mark.parametrize("as_json", [False, True])
def test_an_error_s_words_are_not_obeyed_by_a_terminal(capsys: pytest.CaptureFixture[str], as_json: bool) -> None:
    report(NotFound("gone\x1b[2J\x9b", hint="look\u202e"), as_json=as_json)
    err = capsys.readouterr().err
    assert "gone\\u001b[2J\\u009b" in err
    assert "look\\u202e" in err
