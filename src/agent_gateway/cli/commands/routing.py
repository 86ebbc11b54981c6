"""`route`: which model would answer, and why."""

from __future__ import annotations

from typing import Annotated

import typer

from agent_gateway.cli.commands.talking import WITHOUT_GATEWAY, complete_persona
from agent_gateway.cli.options import Config, DataDir, Json, load_configuration


def add_commands(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command(epilog=WITHOUT_GATEWAY)(route)


def route(
    message: Annotated[str, typer.Argument(metavar="MESSAGE", help="What would be said.")],
    *,
    persona: Annotated[
        str | None,
        typer.Option(
            "--persona",
            metavar="NAME",
            help="Who would be asked (default: the first that is served).",
            autocompletion=complete_persona,
        ),
    ] = None,
    config: Config = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Explain which model would answer a message, without asking it.

    A small model may be asked what the message wants, as in a turn.
    """
    from agent_gateway.cli.route_report import report_route  # noqa: PLC0415 - a command's work is imported when it runs

    report_route(message, persona, load_configuration(config, data_dir), as_json=as_json)
