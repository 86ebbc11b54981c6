"""Folders of documents: where they are, which collection they go to, and whose they are."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from agent_gateway.config import COLLECTION_NAME, INTERACTIONS
from agent_gateway.errors import InvalidInput
from agent_gateway.hookspecs import DocumentFolder


class RegisteredFolder(msgspec.Struct, frozen=True, kw_only=True):
    """A folder to ingest. `label` names it in the knowledge base: the path as it was written.

    `path` is absolute; `personas` are the served ones it belongs to, none when a plugin registered it for all.
    """

    label: str
    path: Path
    collection: str
    personas: tuple[str, ...] = ()


def settle_folder(given: DocumentFolder, folder: Path, plugin: str) -> RegisteredFolder:
    """Check a folder that a plugin registers and make its path absolute; raises `InvalidInput`."""
    try:
        path = (folder / given.path).resolve()
    except TypeError as exc:
        raise InvalidInput(f"register_knowledge: {exc}") from exc
    name = given.collection
    if not isinstance(name, str) or not COLLECTION_NAME.fullmatch(name) or name == INTERACTIONS:
        raise InvalidInput(f"register_knowledge: '{name}' is no collection for documents")
    if not path.is_dir():
        raise InvalidInput(f"register_knowledge: the folder {path} does not exist")
    return RegisteredFolder(label=label_folder(given.path, plugin), path=path, collection=name)


def label_folder(written: str | Path, plugin: str) -> str:
    """Name a folder as it was written; one that is relative to a plugin's file is told apart by the plugin's name."""
    return str(written) if Path(written).is_absolute() or not plugin else f"{plugin}/{written}"


def unite(folders: Iterable[RegisteredFolder]) -> tuple[RegisteredFolder, ...]:
    """Make one of folders that several personas share, under the first label."""
    united: dict[tuple[Path, str], RegisteredFolder] = {}
    for each in folders:
        key = (each.path, each.collection)
        first = united.setdefault(key, each)
        if first is not each:
            personas = tuple(dict.fromkeys((*first.personas, *each.personas)))
            united[key] = msgspec.structs.replace(first, personas=personas)
    return tuple(united.values())
