"""Puts the commands together. Only light things are imported here: what a command does is loaded when it runs."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated

import typer
from typer.main import get_command

from agent_gateway.cli.commands import (
    approving,
    audit,
    documents,
    forgetting,
    inspection,
    keys,
    policy,
    routing,
    serving,
    spending,
    talking,
)
from agent_gateway.cli.group import CommandGroup

PROGRAM = "agent-gateway"
COMMANDS = (
    serving, talking, documents, forgetting, inspection, approving, policy, routing, spending, audit, keys,
)  # fmt: skip
EPILOG = (
    "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 gateway unreachable or data directory busy. "
    "Every command takes --json."
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; ends the process with the exit code."""
    get_command(build_app(rich=sys.stdout.isatty()))(
        args=None if arguments is None else list(arguments), prog_name=PROGRAM
    )


def build_app(*, rich: bool) -> typer.Typer:
    """Make the application; without `rich`, help and usage errors are plain text."""
    app = typer.Typer(
        name=PROGRAM,
        cls=CommandGroup,
        callback=start,
        epilog=EPILOG,
        no_args_is_help=True,
        rich_markup_mode="rich" if rich else None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    for module in COMMANDS:
        module.add_commands(app)
    return app


def show_version(asked: bool) -> None:
    """Print the version and stop."""
    if asked:
        from importlib.metadata import version  # noqa: PLC0415 - reading the installation's metadata takes a while

        typer.echo(f"{PROGRAM} {version(PROGRAM)}")
        raise typer.Exit


def start(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Show the version and stop.")
    ] = False,
) -> None:
    """Several AI agents in one process, each on its own port, answering from your documents."""
    del version
