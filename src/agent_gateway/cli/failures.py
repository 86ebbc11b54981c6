"""How a command fails: one sentence and a hint on standard error, and an exit code that scripts can use."""

from __future__ import annotations

import sys
from enum import IntEnum

import msgspec

from agent_gateway.cli.terminal_text import disarm, disarm_lines
from agent_gateway.errors import ConfigurationError, GatewayError


class ExitCode(IntEnum):
    """What the process ends with. `USAGE` is what the option parser itself ends with."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    UNREACHABLE = 3


#: Codes of errors that waiting, or another data directory, would cure.
UNREACHABLE_CODES = frozenset({"gateway_unreachable", "data_locked", "starting", "shutting_down"})


def exit_code(error: GatewayError) -> ExitCode:
    """Choose the exit code of an error."""
    return ExitCode.UNREACHABLE if error.code in UNREACHABLE_CODES else ExitCode.FAILED


def report(error: GatewayError, *, as_json: bool) -> None:
    """Write an error to standard error: text, or with `as_json` one line of JSON."""
    sys.stdout.flush()
    if as_json:
        sys.stderr.write(disarm(msgspec.json.encode({"error": describe(error)}).decode()) + "\n")
        return
    if isinstance(error, ConfigurationError):
        lines = ["Error: the configuration is wrong", *(f"  {fault}" for fault in error.faults)]
    else:
        lines = [f"Error: {error.detail}"]
    if error.hint:
        lines.append(f"Hint: {error.hint}")
    sys.stderr.write(disarm_lines("\n".join(lines)) + "\n")


def describe(error: GatewayError) -> dict[str, object]:
    """Turn an error into what `--json` shows of it."""
    described: dict[str, object] = {"code": error.code, "detail": error.detail, "hint": error.hint}
    if isinstance(error, ConfigurationError):
        described["faults"] = error.faults
    return described
