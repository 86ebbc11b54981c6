"""`ask` and `chat`: talk to a persona."""

from __future__ import annotations

from typing import Annotated

import typer

from agent_gateway.cli.options import ApiKey, Config, DataDir, Json, load_configuration, read_configuration

WITHOUT_GATEWAY = "Without a running gateway, one is started for as long as the command takes."


def complete_persona(incomplete: str) -> list[str]:
    """Offer the personas that personas.yaml lists."""
    return [name for name in read_configuration(None, None).entries if name.startswith(incomplete)]


PersonaName = Annotated[
    str, typer.Argument(metavar="PERSONA", help="Who to talk to.", autocompletion=complete_persona, show_default=False)
]
ConversationId = Annotated[
    str | None, typer.Option("--conversation", metavar="ID", help="Continue this conversation instead of a new one.")
]


def add_commands(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command(epilog=WITHOUT_GATEWAY)(ask)
    app.command(epilog=WITHOUT_GATEWAY)(chat)


def ask(
    persona: PersonaName,
    message: Annotated[str, typer.Argument(metavar="MESSAGE", help="What to say; - reads it from standard input.")],
    *,
    conversation: ConversationId = None,
    api_key: ApiKey = "",
    config: Config = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Ask a persona one question. With --json: the events of the turn, the last one with the whole answer."""
    from agent_gateway.cli.conversing import ask_once  # noqa: PLC0415 - a command's work is imported when it runs

    configuration = load_configuration(config, data_dir)
    ask_once(persona, message, conversation, configuration, api_key=api_key, as_json=as_json)


def chat(
    persona: PersonaName,
    *,
    conversation: ConversationId = None,
    api_key: ApiKey = "",
    config: Config = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Talk to a persona, until /quit or the end of the input.

    One message a line. With --json: the events of every turn, one object a line.
    """
    from agent_gateway.cli.conversing import converse  # noqa: PLC0415 - a command's work is imported when it runs

    converse(persona, conversation, load_configuration(config, data_dir), api_key=api_key, as_json=as_json)
