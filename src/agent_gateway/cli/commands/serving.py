"""`serve`: run the gateway."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from agent_gateway.cli.options import Config, DataDir, Json, read_configuration


def add_commands(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command()(serve)


def serve(
    *,
    host: Annotated[
        str | None, typer.Option("--host", metavar="ADDRESS", help="Address to listen on (default: 127.0.0.1).")
    ] = None,
    port_offset: Annotated[
        int, typer.Option("--port-offset", metavar="N", help="Added to every port, the gateway's too.")
    ] = 0,
    personas_file: Annotated[
        Path | None, typer.Option("--personas-file", metavar="FILE", help="Who is served (default: personas.yaml).")
    ] = None,
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Listen off this machine although there is no authentication.")
    ] = False,
    config: Config = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Serve every persona on its own port.

    SIGTERM or Ctrl-C ends it: running turns get the grace period. With --json: the addresses as one document.
    """
    from agent_gateway.cli.running import run_gateway  # noqa: PLC0415 - a command's work is imported when it runs

    server = None if host is None else {"host": host}
    configuration = read_configuration(config, data_dir, personas_file=personas_file, server=server)
    run_gateway(configuration, port_offset=port_offset, insecure=insecure, as_json=as_json)
