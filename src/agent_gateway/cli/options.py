"""The options that every command has."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agent_gateway.errors import ConfigurationError, InvalidInput

if TYPE_CHECKING:
    from agent_gateway.config import Configuration

JSON_FLAG = "agent_gateway.json"


def note_json(context: typer.Context, value: bool) -> bool:
    """Remember that errors, too, are to be JSON."""
    context.meta[JSON_FLAG] = value or context.meta.get(JSON_FLAG, False)
    return value


Config = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="Settings file (default: agent-gateway.yaml, if there is one)."),
]
DataDir = Annotated[
    Path | None,
    typer.Option("--data-dir", metavar="FOLDER", help="Where knowledge, runs and caches are kept (default: data)."),
]
ApiKey = Annotated[
    str,
    typer.Option(
        "--api-key",
        envvar="AGENT_GATEWAY_API_KEY",
        metavar="KEY",
        show_default=False,
        help="Ask as the owner of this key (default: as this machine's own owner, local).",
    ),
]
Json = Annotated[
    bool, typer.Option("--json", callback=note_json, is_eager=True, help="Write JSON, one object a line in streams.")
]


def read_configuration(config: Path | None, data_dir: Path | None, **overrides: Any) -> Configuration:
    """Gather the configuration and the faults found in it; `overrides` that are None are left out."""
    from agent_gateway import config as configuration  # noqa: PLC0415 - pydantic is not to be waited for by --help

    values = {"data_dir": data_dir, **overrides}
    given = {
        key: str(value) if isinstance(value, Path) else value for key, value in values.items() if value is not None
    }
    return configuration.read_configuration(given, config_file=config)


def load_configuration(config: Path | None, data_dir: Path | None, **overrides: Any) -> Configuration:
    """Gather the configuration; `ConfigurationError` when there is anything wrong with it."""
    configuration = read_configuration(config, data_dir, **overrides)
    if configuration.faults:
        raise ConfigurationError(configuration.faults)
    return configuration


def check_text(text: str) -> str:
    """Return an argument that is text; `InvalidInput` for one that is blank, or whose bytes are not UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidInput("an argument is not UTF-8 text", hint="is the terminal set to UTF-8?") from error
    if not text.strip():
        raise InvalidInput("an argument is empty", hint="write what you mean")
    return text


def inherit(context: typer.Context, name: str, value: Any) -> Any:
    """Return a subcommand's option, or that of the command above it, where it may as well be written."""
    return value if value or context.parent is None else context.parent.params.get(name)
