"""`policy explain`: what becomes of a call of a tool, and why."""

from __future__ import annotations

from typing import Annotated

import typer

from agent_gateway.cli.options import Config, DataDir, Json, load_configuration


def add_commands(app: typer.Typer) -> None:
    """Add the commands of this module."""
    below = typer.Typer(no_args_is_help=True, help="Explain what is done without asking, asked about, and never done.")
    below.command("explain")(explain)
    below.callback()(policy)
    app.add_typer(below, name="policy")


def policy() -> None:
    """Explain what is done without asking, asked about, and never done."""


def explain(
    call: Annotated[
        str, typer.Argument(metavar="CALL", help="A command such as 'kubectl get pods', or JSON arguments.")
    ] = "",
    *,
    tool: Annotated[str, typer.Option("--tool", metavar="NAME", help="The tool that would be called.")] = "kubectl",
    stdin: Annotated[
        bool, typer.Option("--stdin", help="Read calls from standard input: a JSON string or JSON object a line.")
    ] = False,
    config: Config = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Tell whether a tool's rule lets a call run (read), asks a human first (approve), or never runs it (deny).

    Nothing is called, and no cluster is asked. What a persona may do, and roles, come on top of this.
    """
    from agent_gateway.cli.policy_report import explain_call, explain_lines  # noqa: PLC0415 - loaded when it runs

    configuration = load_configuration(config, data_dir)
    if stdin:
        explain_lines(tool, call, configuration, as_json=as_json)
    else:
        explain_call(tool, call, configuration, as_json=as_json)
