"""`keys new`: make an API key."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from agent_gateway.cli.options import Json


class RoleName(StrEnum):
    """What the owner of a key may do."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    APPROVER = "approver"


def add_commands(app: typer.Typer) -> None:
    """Add the commands of this module."""
    below = typer.Typer(no_args_is_help=True, help="Make API keys.")
    below.command("new")(new)
    below.callback()(keys)
    app.add_typer(below, name="keys")


def keys() -> None:
    """Make API keys."""


def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Whose key it is: the owner of what is asked with it.")],
    *,
    role: Annotated[
        list[RoleName] | None, typer.Option("--role", help="What it may do; may be repeated (default: viewer).")
    ] = None,
    persona: Annotated[
        list[str] | None, typer.Option("--persona", metavar="NAME", help="For whom; may be repeated (default: all).")
    ] = None,
    expires: Annotated[
        str, typer.Option("--expires", metavar="WHEN", help="A day such as 2030-01-31, or 90d for days from now.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Make an API key: it is shown once, and only its hash goes into the settings, by your hand."""
    from agent_gateway.cli.new_key import make_key  # noqa: PLC0415 - a command's work is imported when it runs

    make_key(name, [each.value for each in role or [RoleName.VIEWER]], persona or [], expires, as_json=as_json)
