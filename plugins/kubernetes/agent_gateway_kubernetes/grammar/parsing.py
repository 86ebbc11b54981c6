"""From a command string to a typed command."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .call_text import separate
from .command import Command, Refused, ResourceRef
from .completeness import check_complete
from .json_values import read_documents
from .kinds import resolve
from .names import is_name
from .options import Taken
from .shell_words import split_line
from .targets import name_it, read_log_target, read_targets, split_changes
from .verbs import TOPICS, VERBS, Verb, find_verb

MOST_OBJECTS = 50


def parse(command: str, manifest: str = "") -> Command:
    """Parse a command, and the manifest that came beside it. `Refused` says why it is outside the grammar."""
    if not isinstance(command, str) or not isinstance(manifest, str):
        raise Refused("The command and its manifest are text.")
    line, text = separate(command, manifest)
    verb, words = find_verb(split_line(line)[1:])
    if "--" in words:
        raise Refused("The word '--' is refused.")
    taken = Taken(verb.options, words)
    if taken.values.pop("help", "") == "true":
        return _help(verb, taken)
    made = _build(verb, taken, text)
    check_complete(made)
    return made


def _build(verb: Verb, taken: Taken, text: str) -> Command:
    options = taken.values
    resources, words = _read_rest(verb, taken.rest)
    from_text = options.pop("filename", "") == "-"
    if text and not from_text:
        raise Refused("Text is given with a command that reads none: it needs '-f -'.")
    patch = options.pop("patch", "")
    if verb.name == "patch":
        options.setdefault("type", "strategic")
    return Command(
        verb=verb.name,
        resources=resources,
        namespace=options.pop("namespace", ""),
        all_namespaces=options.pop("all-namespaces", "") == "true",
        options=options,
        words=words,
        from_text=from_text,
        text=text,
        objects=read_objects(text) if text else (),
        patch=_read_patch(patch) if patch else None,
    )


def _read_rest(verb: Verb, rest: Sequence[str]) -> tuple[tuple[ResourceRef, ...], tuple[str, ...]]:
    shape, _, kind = verb.follows.partition(" ")
    if shape == "kinds":
        return read_targets(rest), ()
    if shape == "changes":
        objects, changes = split_changes(rest)
        return read_targets(objects), changes
    if shape == "names":
        return tuple(name_it(resolve(kind), name) for name in rest), ()
    if shape == "logs":
        return read_log_target(rest)
    if shape == "none" and rest:
        raise Refused(f"'{verb.name}' takes no word {rest[0][:80]!r}.")
    return (), tuple(rest)


def _help(verb: Verb, taken: Taken) -> Command:
    if taken.rest or taken.values:
        raise Refused("--help stands alone with its command.")
    return Command(verb="help", words=() if verb.name == "help" else tuple(verb.name.split()))


def read_objects(text: str) -> tuple[dict[str, Any], ...]:
    """The objects of a manifest, lists unfolded. `Refused`."""
    found: list[dict[str, Any]] = []
    for document in read_documents(text, "manifest"):
        if not isinstance(document, dict):
            raise Refused("A document of the manifest is no object.")
        if document.get("kind") != "List":
            found.append(document)
            continue
        items = document.get("items")
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise Refused("A list in the manifest has no items.")
        if document.get("apiVersion") != "v1" or set(document) - {"apiVersion", "kind", "items", "metadata"}:
            raise Refused("A list in the manifest is not understood.")
        found += items
    if not found:
        raise Refused("The manifest holds no object.")
    if len(found) > MOST_OBJECTS:
        raise Refused(f"The manifest holds more than {MOST_OBJECTS} objects.")
    for each in found:
        _check_identity(each)
    return tuple(found)


def _check_identity(item: dict[str, Any]) -> None:
    """Every object says what it is: a kind, a version and a name."""
    metadata = item.get("metadata")
    if not (isinstance(item.get("kind"), str) and isinstance(item.get("apiVersion"), str)):
        raise Refused("An object of the manifest has no kind or no apiVersion.")
    if not isinstance(metadata, dict):
        raise Refused("An object of the manifest has no metadata.")
    name = metadata.get("name")
    if not (isinstance(name, str) and is_name(name)):
        raise Refused(f"An object of the kind {item['kind'][:80]!r} has no name that can be one.")


def _read_patch(text: str) -> Any:
    documents = read_documents(text, "patch")
    if len(documents) != 1 or not isinstance(documents[0], (dict, list)):
        raise Refused("The patch is no object.")
    return documents[0]


def is_topic(word: str) -> bool:
    """Whether `help` has something to say about a word."""
    return word in TOPICS or any(word in name.split() for name in VERBS)
