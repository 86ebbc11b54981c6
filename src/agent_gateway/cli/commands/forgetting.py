"""`forget`: what agents remember of earlier questions."""

from __future__ import annotations

from typing import Annotated

import typer

from agent_gateway.cli.options import Config, DataDir, Json, check_text, load_configuration


def add_commands(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command()(forget)


def forget(
    *,
    source: Annotated[
        str | None,
        typer.Option("--source", metavar="PATTERN", help="What was answered from such a source: 'runbooks/*.md'."),
    ] = None,
    run: Annotated[str | None, typer.Option("--run", metavar="ID", help="What was asked in this run.")] = None,
    owner: Annotated[str | None, typer.Option("--owner", metavar="NAME", help="What this owner asked.")] = None,
    persona: Annotated[
        str | None, typer.Option("--persona", metavar="NAME", help="Only what this persona was asked.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say how many there are.")] = False,
    config: Config = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Forget remembered questions and answers, by source, run or owner.

    What meets every option is forgotten; --source, --run or --owner is needed. Documents and conversations stay.
    """
    if source is None and run is None and owner is None:
        raise typer.BadParameter("name a --source, a --run or an --owner")
    given = {"source": source, "run_id": run, "owner": owner, "persona": persona}
    conditions = {name: check_text(value) for name, value in given.items() if value is not None}
    from agent_gateway.cli.forgetting import forget_memories  # noqa: PLC0415 - a command's work is imported when it runs

    forget_memories(conditions, load_configuration(config, data_dir), dry_run=dry_run, as_json=as_json)
