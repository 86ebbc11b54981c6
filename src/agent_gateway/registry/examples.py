"""Reads and checks what an intent is learned from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from agent_gateway.config import COLLECTION_NAME
from agent_gateway.errors import InvalidInput
from agent_gateway.intent import MINIMUM_EXAMPLES, IntentDefinition, IntentExample

INTENT_NAME = re.compile(r"[a-z][a-z0-9_-]{0,62}")


def read_examples(path: Path) -> tuple[IntentExample, ...]:
    """Read a JSON Lines file of examples; raises `InvalidInput` naming the file and line that is wrong."""
    try:
        lines = path.read_bytes().splitlines()
    except OSError as exc:
        raise InvalidInput(f"the examples cannot be read: {path}: {exc.strerror}") from exc
    examples: list[IntentExample] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            example = msgspec.json.decode(line, type=IntentExample)
        except (msgspec.DecodeError, UnicodeDecodeError) as exc:
            raise InvalidInput(f"{path.name}, line {number}: {exc}") from exc
        if not example.text.strip() or not (
            0 <= example.reasoning_depth <= 3 and 0 <= example.accuracy_requirement <= 2
        ):
            raise InvalidInput(
                f"{path.name}, line {number}: text must not be empty, reasoning_depth is 0 to 3, "
                "accuracy_requirement is 0 to 2"
            )
        examples.append(example)
    if len(examples) < MINIMUM_EXAMPLES:
        raise InvalidInput(f"{path.name} has {len(examples)} examples, an intent needs {MINIMUM_EXAMPLES} or more")
    return tuple(examples)


def settle_intent(given: IntentDefinition, folder: Path) -> IntentDefinition:
    """Check a plugin's intent and make its examples file absolute; raises `InvalidInput`."""
    try:
        fields = msgspec.structs.asdict(given)
        intent = msgspec.convert({**fields, "examples": folder / given.examples}, IntentDefinition)
    except (msgspec.ValidationError, TypeError) as exc:
        raise InvalidInput(f"intent '{given.name}': {exc}") from exc
    for fault in intent_faults(intent):
        raise InvalidInput(f"intent '{intent.name}': {fault}")
    return intent


def intent_faults(intent: IntentDefinition) -> Iterator[str]:
    """Yield what is wrong with an intent's fields."""
    if not INTENT_NAME.fullmatch(intent.name):
        yield "its name must be lowercase letters, digits, hyphens and underscores"
    if not intent.summary.strip():
        yield 'its summary must complete the sentence "I can ..."'
    for collection in intent.collections:
        if not COLLECTION_NAME.fullmatch(collection):
            yield f"'{collection}' is no name of a collection"
