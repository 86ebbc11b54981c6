"""`personas`, `plugins`, `check` and `doctor`: what is there, and what is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from agent_gateway.cli.options import Config, DataDir, Json, inherit, load_configuration, read_configuration


def add_commands(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(personas)
    below = typer.Typer(invoke_without_command=True, callback=plugins)
    below.command("new")(new_plugin)
    app.add_typer(below, name="plugins")
    app.command()(tools)
    app.command()(check)
    app.command()(doctor)


def personas(*, config: Config = None, data_dir: DataDir = None, as_json: Json = False) -> None:
    """List the personas, and who is not served, and why."""
    from agent_gateway.cli.listing import list_personas  # noqa: PLC0415 - a command's work is imported when it runs

    list_personas(load_configuration(config, data_dir), as_json=as_json)


def plugins(context: typer.Context, *, config: Config = None, data_dir: DataDir = None, as_json: Json = False) -> None:
    """List the plugins, or start a new one."""
    if context.invoked_subcommand is None:
        from agent_gateway.cli.listing import list_plugins  # noqa: PLC0415 - as in `personas`

        list_plugins(read_configuration(config, data_dir), as_json=as_json)


def new_plugin(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Lower-case letters, digits and underscores.")],
    *,
    folder: Annotated[
        Path | None, typer.Option("--dir", metavar="FOLDER", help="Where to put it (default: the plugins folder).")
    ] = None,
    config: Config = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Write a new plugin with one persona and a test that passes."""
    from agent_gateway.cli.new_plugin import write_plugin  # noqa: PLC0415 - as in `personas`

    chosen = read_configuration(inherit(context, "config", config), inherit(context, "data_dir", data_dir))
    write_plugin(name, folder, chosen, as_json=inherit(context, "as_json", as_json))


def tools(
    *,
    persona: Annotated[str, typer.Option("--persona", metavar="NAME", help="Only those of this persona.")] = "",
    config: Config = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """List the tools: what each does, who has it, and what it asks about."""
    from agent_gateway.cli.tool_listing import list_tools  # noqa: PLC0415 - as in `personas`

    list_tools(load_configuration(config, data_dir), persona, as_json=as_json)


def check(*, config: Config = None, data_dir: DataDir = None, as_json: Json = False) -> None:
    """Show all faults of configuration and plugins at once."""
    from agent_gateway.cli.checking import check_all  # noqa: PLC0415 - as in `personas`

    check_all(read_configuration(config, data_dir), as_json=as_json)


def doctor(*, config: Config = None, data_dir: DataDir = None, as_json: Json = False) -> None:
    """Show what was found, and what each absence costs."""
    from agent_gateway.cli.diagnosis import diagnose  # noqa: PLC0415 - as in `personas`

    diagnose(read_configuration(config, data_dir), as_json=as_json)
