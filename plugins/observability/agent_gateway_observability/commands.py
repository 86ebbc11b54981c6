"""The command `agent-gateway mcp-observability`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .settings import ObservabilitySettings


def add_commands(app: typer.Typer, settings: ObservabilitySettings) -> None:
    """Add the command; `settings` are those of the working folder."""

    @app.command("mcp-observability")
    def serve_tools(
        host: Annotated[str, typer.Option(help="Where to listen.")] = "127.0.0.1",
        port: Annotated[int, typer.Option(help="The port; 0 for any that is free.", min=0, max=65535)] = 8080,
        config: Annotated[Path | None, typer.Option(help="Another settings file than the folder's.")] = None,
    ) -> None:
        """Serve query_prometheus, query_loki and get_traces over MCP, at /mcp."""
        # What serves takes a while to load, and this file is also loaded to list the commands.
        from .serving import read_settings, serve  # noqa: PLC0415 - see above

        serve(settings if config is None else read_settings(config), host, port, typer.echo)
