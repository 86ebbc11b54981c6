"""`ingest`, `search` and `collections`: in the running gateway, or here with the data directory locked."""

from __future__ import annotations

import asyncio
from pathlib import Path

from agent_gateway.api.shapes import SearchReply
from agent_gateway.cli.administration import open_administration
from agent_gateway.cli.options import check_text
from agent_gateway.cli.output import Output
from agent_gateway.cli.progress import ProgressDisplay
from agent_gateway.config import Configuration
from agent_gateway.errors import InvalidInput
from agent_gateway.interfaces import CollectionInfo, IngestProgress


def ingest_path(path: Path, collection: str, configuration: Configuration, *, as_json: bool) -> None:
    """Ingest a file or folder and show how it went; `InvalidInput` when not one document could be read."""
    # The gateway's working folder is another one.
    absolute = check_text(str(path.expanduser().absolute()))
    output = Output(as_json=as_json)
    last = asyncio.run(_ingest(absolute, collection, configuration, output))
    for name, reason in last.skipped.items() if not as_json else ():
        output.warn(f"skipped {name}: {reason}")
    if not last.added + last.changed + last.unchanged + last.removed:
        raise InvalidInput(f"there is no document that could be read in {path}", code="nothing_ingested")


async def _ingest(path: str, collection: str, configuration: Configuration, output: Output) -> IngestProgress:
    last = IngestProgress(files=0, total=0)
    async with open_administration(configuration, quiet=output.as_json) as administration:
        with ProgressDisplay(output, collection) as display:
            async for last in administration.ingest(path, collection):
                display.show(last)
    return last


def search_collection(request: tuple[str, str, int], configuration: Configuration, *, as_json: bool) -> None:
    """Search for a query in a collection, for at most so many passages, and show them."""
    check_text(request[0])
    output = Output(as_json=as_json)
    reply = asyncio.run(_search(request, configuration, output))
    if as_json:
        output.document(reply)
        return
    if not reply.answerable:
        output.text("No passage answers this; the nearest ones are:" if reply.passages else "Nothing was found.")
    for number, hit in enumerate(reply.passages, start=1):
        output.text(f"{number}. {hit.source}: {hit.title} (chunk {hit.chunk}, score {hit.score:.2f})", style="bold")
        output.text("".join(f"   {line}\n" for line in hit.text.splitlines()))


async def _search(request: tuple[str, str, int], configuration: Configuration, output: Output) -> SearchReply:
    async with open_administration(configuration, quiet=output.as_json) as administration:
        return await administration.search(*request)


def list_collections(configuration: Configuration, *, as_json: bool) -> None:
    """Show every collection with its size."""
    output = Output(as_json=as_json)
    found = asyncio.run(_list(configuration, output))
    if as_json:
        output.document({"collections": found})
        return
    columns = ("NAME", "DOCUMENTS", "CHUNKS", "UPDATED", "ENCODER")
    output.table(
        columns,
        [
            (each.name, each.documents, each.chunks, each.updated_at, f"{each.encoder[:12]} {each.precision}".strip())
            for each in found
        ],
    )


async def _list(configuration: Configuration, output: Output) -> tuple[CollectionInfo, ...]:
    async with open_administration(configuration, quiet=output.as_json) as administration:
        return await administration.collections()


def drop(collection: str, configuration: Configuration, *, as_json: bool) -> None:
    """Remove a collection; `NotFound` when there is none of that name."""
    output = Output(as_json=as_json)
    asyncio.run(_drop(collection, configuration, output))
    if as_json:
        output.document({"dropped": collection})
    else:
        output.text(f"The collection {collection} is gone.")


async def _drop(collection: str, configuration: Configuration, output: Output) -> None:
    async with open_administration(configuration, quiet=output.as_json) as administration:
        await administration.drop(collection)
