"""`approvals`: what waits for a human, and the decision."""

from __future__ import annotations

from typing import Annotated

import typer

from agent_gateway.cli.options import Config, DataDir, Json, inherit, load_configuration

ApprovalId = Annotated[str, typer.Argument(metavar="ID", help="As `agent-gateway approvals` lists it.")]
Comment = Annotated[str, typer.Option("--comment", metavar="TEXT", help="For the run, and kept with the approval.")]
Wait = Annotated[float, typer.Option("--wait", min=0, max=600, help="Seconds to wait for what comes of it.")]


def add_commands(app: typer.Typer) -> None:
    """Add the commands of this module."""
    below = typer.Typer(invoke_without_command=True, callback=approvals)
    below.command("show")(show)
    below.command("approve")(approve)
    below.command("reject")(reject)
    app.add_typer(below, name="approvals")


def approvals(
    context: typer.Context,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Also those that are decided.")] = False,
    config: Config = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """List what waits for a human's decision, or decide on it."""
    if context.invoked_subcommand is None:
        from agent_gateway.cli.deciding import list_approvals  # noqa: PLC0415 - a command's work is imported when it runs

        list_approvals(load_configuration(config, data_dir), everything=everything, as_json=as_json)


def show(
    context: typer.Context, approval: ApprovalId, *, config: Config = None, data_dir: DataDir = None,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Show one approval: what would change, and what became of it."""
    from agent_gateway.cli.deciding import show_approval  # noqa: PLC0415 - as in `approvals`

    chosen = load_configuration(inherit(context, "config", config), inherit(context, "data_dir", data_dir))
    show_approval(approval, chosen, as_json=inherit(context, "as_json", as_json))


def approve(
    context: typer.Context, approval: ApprovalId, *, comment: Comment = "", wait: Wait = 120.0, config: Config = None,
    data_dir: DataDir = None, as_json: Json = False,
) -> None:  # fmt: skip
    """Let one call be made, once, and show what comes of it."""
    from agent_gateway.cli.deciding import decide  # noqa: PLC0415 - as in `approvals`

    chosen = load_configuration(inherit(context, "config", config), inherit(context, "data_dir", data_dir))
    decide(approval, "approve", comment, chosen, wait=wait, as_json=inherit(context, "as_json", as_json))


def reject(
    context: typer.Context, approval: ApprovalId, *, comment: Comment = "", wait: Wait = 120.0, config: Config = None,
    data_dir: DataDir = None, as_json: Json = False,
) -> None:  # fmt: skip
    """Refuse one call; its turn goes on without it."""
    from agent_gateway.cli.deciding import decide  # noqa: PLC0415 - as in `approvals`

    chosen = load_configuration(inherit(context, "config", config), inherit(context, "data_dir", data_dir))
    decide(approval, "reject", comment, chosen, wait=wait, as_json=inherit(context, "as_json", as_json))
