"""`usage`: what the models did and what it cost."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from agent_gateway.cli.options import Config, DataDir, Json, load_configuration


class By(StrEnum):
    """What calls are added up by."""

    PERSONA = "persona"
    MODEL = "model"
    STAGE = "stage"
    TIER = "tier"
    DAY = "day"


def add_commands(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command()(usage)


def usage(
    *,
    days: Annotated[int, typer.Option("--days", min=1, max=3650, help="So many days, today (UTC) included.")] = 7,
    persona: Annotated[str, typer.Option("--persona", metavar="NAME", help="Only what this persona used.")] = "",
    by: Annotated[By, typer.Option("--by", help="What calls are added up by.")] = By.PERSONA,
    config: Config = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Show what the models did, what it cost, and what the large model alone would have cost.

    Read from the data directory, whether a gateway runs there or not.
    """
    from agent_gateway.cli.usage_report import report_usage  # noqa: PLC0415 - a command's work is imported when it runs

    report_usage(load_configuration(config, data_dir), days=days, persona=persona, by=by.value, as_json=as_json)
