"""The commands `agent-gateway mcp list` and `agent-gateway mcp accept`."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

import agent_gateway as ag

from .settings import McpSettings
from .untrusted import clean_line

_LONGEST_ERROR = 2000


def add_commands(app: typer.Typer, settings: McpSettings) -> None:
    """Add the commands; `settings` are those of the working folder."""
    group = typer.Typer(help="Look at the tools of MCP servers, and accept them.", no_args_is_help=True)
    app.add_typer(group, name="mcp")

    @group.command("list")
    def list_servers() -> None:
        """Connect to each MCP server, and show which of its tools are accepted, new, changed or gone."""
        # What speaks MCP takes a while to load, and this file is also loaded to list the commands.
        from .review import compare_server, tell_comparison  # noqa: PLC0415 - see above

        failed = False
        if not settings.servers:
            typer.echo("No MCP server is configured: set plugins.mcp.servers.")
        for name, server in settings.servers.items():
            typer.echo(f"{name} ({server.told})")
            try:
                compared = asyncio.run(compare_server(settings, name))
            except ag.GatewayError as error:
                failed = True
                typer.echo(f"  {clean_line(str(error), _LONGEST_ERROR)}")
                continue
            for line in tell_comparison(name, compared):
                typer.echo(line)
        if failed:
            raise typer.Exit(1)

    @group.command("accept")
    def accept_tools(
        server: Annotated[str, typer.Argument(help="The name of the server in the settings.")],
        tools: Annotated[list[str] | None, typer.Argument(help="Its names of the tools; all that it has.")] = None,
        read: Annotated[list[str] | None, typer.Option(help="A tool that only reads; can be repeated.")] = None,
    ) -> None:
        """Accept tools of an MCP server as they are now; those not said to read are taken to write."""
        from . import review  # noqa: PLC0415 - as above

        for line in asyncio.run(review.accept_tools(settings, server, tools or (), read or ())):
            typer.echo(line)
        typer.echo(f"Written to {settings.accepted_file}. Start the gateway again to use it.")
