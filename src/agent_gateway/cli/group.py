"""The group of all commands: the gateway's own, then those of plugins, which are only loaded if there are any."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import typer
from typer.core import TyperGroup

from agent_gateway.cli.failures import exit_code, report
from agent_gateway.cli.names import OWN_COMMANDS
from agent_gateway.cli.options import JSON_FLAG
from agent_gateway.cli.plugin_sources import may_have_commands
from agent_gateway.errors import GatewayError


class CommandGroup(TyperGroup):
    """Commands by name. An expected error of any of them becomes a message and an exit code."""

    @cached_property
    def plugin_commands(self) -> dict[str, Any]:
        """The commands of plugins; nothing is imported when no plugin's source mentions the hook."""
        if not may_have_commands():
            return {}
        from agent_gateway.cli.plugin_commands import load_commands  # noqa: PLC0415 - see above

        return load_commands()

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Find a command by its name; None when there is none."""
        return super().get_command(ctx, cmd_name) or self.plugin_commands.get(cmd_name)

    def list_commands(self, ctx: Any) -> list[str]:
        """List the names of all commands."""
        own = sorted(super().list_commands(ctx), key=OWN_COMMANDS.index)
        return [*own, *self.plugin_commands]

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except GatewayError as error:
            report(error, as_json=ctx.meta.get(JSON_FLAG, False))
            raise typer.Exit(exit_code(error)) from error
