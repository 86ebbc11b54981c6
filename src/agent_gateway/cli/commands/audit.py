"""`audit`: what was asked, decided and done, and whether the log of that is whole."""

from __future__ import annotations

from typing import Annotated

import typer

from agent_gateway.cli.options import Config, DataDir, Json, inherit, load_configuration


def add_commands(app: typer.Typer) -> None:
    """Add the commands of this module."""
    below = typer.Typer(no_args_is_help=True)
    below.callback()(audit)
    below.command("verify")(verify)
    below.command("list")(show)
    app.add_typer(below, name="audit")


def audit(*, config: Config = None, data_dir: DataDir = None, as_json: Json = False) -> None:
    """Look at the log of what was asked, decided and done.

    Read from the data directory, whether a gateway runs there or not.
    """
    del config, data_dir, as_json


def verify(
    context: typer.Context,
    *,
    head: Annotated[
        str, typer.Option("--head", metavar="N:HASH", help="What an earlier check ended with: must still be there.")
    ] = "",
    config: Config = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Check that no row of the audit log was changed, put in or taken out.

    Ends with the number of rows and the hash of the last one. Whoever can write all of the data directory could put an
    older copy of everything in its place: keep what this prints somewhere else, and give it back with --head.
    """
    from agent_gateway.cli.audit_report import report_check  # noqa: PLC0415 - a command's work is imported when it runs

    chosen = load_configuration(inherit(context, "config", config), inherit(context, "data_dir", data_dir))
    report_check(chosen, head, as_json=inherit(context, "as_json", as_json))


def show(
    context: typer.Context,
    *,
    kind: Annotated[str, typer.Option("--kind", metavar="KIND", help="Such as approval_decided or effect_begun.")] = "",
    run: Annotated[str, typer.Option("--run", metavar="ID", help="Only what belongs to this run.")] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=100_000, help="At most so many, the last ones.")] = 50,
    config: Config = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """List the last entries, oldest first."""
    from agent_gateway.cli.audit_report import report_entries  # noqa: PLC0415 - as in `verify`

    chosen = load_configuration(inherit(context, "config", config), inherit(context, "data_dir", data_dir))
    report_entries(chosen, (kind, run, limit), as_json=inherit(context, "as_json", as_json))
