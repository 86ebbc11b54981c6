"""`ingest`, `search` and `collections`: the documents that answers come from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from agent_gateway.cli.options import Config, DataDir, Json, inherit, load_configuration

CollectionName = Annotated[
    str, typer.Option("--collection", "-c", metavar="NAME", help="The collection.", show_default=False)
]


def add_commands(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(ingest)
    app.command()(search)
    below = typer.Typer(invoke_without_command=True, callback=collections)
    below.command("drop")(drop_collection)
    app.add_typer(below, name="collections")


def ingest(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A file, or a folder with everything below it.")],
    *,
    collection: CollectionName,
    config: Config = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Bring a collection up to date with a file or folder.

    Markdown, text, HTML, YAML and PDF files are read.
    New and changed files are read, deleted ones go, unchanged ones cost nothing. A file that cannot be read is
    skipped with a warning; only when none could be is that a failure. With --json: one object of progress a line.
    """
    from agent_gateway.cli.collections import ingest_path  # noqa: PLC0415 - a command's work is imported when it runs

    ingest_path(path, collection, load_configuration(config, data_dir), as_json=as_json)


def search(
    query: Annotated[str, typer.Argument(metavar="QUERY", help="What to look for, in words.")],
    *,
    collection: CollectionName,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=100, help="At most so many passages.")] = 5,
    config: Config = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Search a collection and show the passages, best first."""
    from agent_gateway.cli.collections import search_collection  # noqa: PLC0415 - as in `ingest`

    search_collection((query, collection, limit), load_configuration(config, data_dir), as_json=as_json)


def collections(
    context: typer.Context, *, config: Config = None, data_dir: DataDir = None, as_json: Json = False
) -> None:
    """List the collections, or drop one."""
    if context.invoked_subcommand is None:
        from agent_gateway.cli.collections import list_collections  # noqa: PLC0415 - as in `ingest`

        list_collections(load_configuration(config, data_dir), as_json=as_json)


def drop_collection(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The collection to remove, with all its documents.")],
    *,
    config: Config = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Remove a collection.

    The files it was made from stay where they are.
    """
    from agent_gateway.cli.collections import drop  # noqa: PLC0415 - as in `ingest`

    chosen = load_configuration(inherit(context, "config", config), inherit(context, "data_dir", data_dir))
    drop(name, chosen, as_json=inherit(context, "as_json", as_json))
