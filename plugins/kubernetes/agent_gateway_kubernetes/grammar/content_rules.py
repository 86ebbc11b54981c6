"""What rules of fields are made of. A rule is called with a value and the manner of the write; it raises `Refused`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

from .command import Refused
from .content_words import NEVER, fold, is_plain, refusal_of, show

DEEPEST = 30
LONGEST_TEXT = 262_144


class Manner(NamedTuple):
    """How a value would be written.

    `fresh`: as a part of an object that must not exist yet. `strategic`: by a patch that knows directives (`$patch`).
    `pointed`: by an operation of a JSON patch, so that a list holds just what the operation is about. `replaces_lists`:
    by a merge patch. `patch`: by a patch of any type.
    """

    fresh: bool = False
    patch: bool = False
    strategic: bool = False
    pointed: bool = False
    replaces_lists: bool = False


Rule: TypeAlias = Callable[[Any, Manner], None]


def never(value: Any, manner: Manner) -> None:
    """For fields whose name alone is the reason; `fields` has said it before."""
    raise Refused("That is not written.")


def scalar(value: Any, manner: Manner) -> None:
    """A text, a number, a truth value, or nothing (which takes the field away)."""
    if isinstance(value, str):
        if len(value) > LONGEST_TEXT:
            raise Refused("A text is too long.")
    elif value is not None and not isinstance(value, (bool, int, float)):
        raise Refused("An object or a list stands where one value is expected.")


def only(*allowed: str | bool | int | None, why: str) -> Rule:
    """One of some values; types count (True is not 1)."""
    kinds = {(type(each), each) for each in allowed}

    def check(value: Any, manner: Manner) -> None:
        if isinstance(value, (dict, list)) or (type(value), value) not in kinds:
            raise Refused(why)

    return check


def free(value: Any, manner: Manner) -> None:
    """Anything, but for what is never written at any depth, and for keys that are no plain names."""
    _walk(value, 0)


def _walk(value: Any, depth: int) -> None:
    if depth > DEEPEST:
        raise Refused("It is nested too deeply.")
    if isinstance(value, list):
        for each in value:
            _walk(each, depth + 1)
    elif isinstance(value, dict):
        for key, each in value.items():
            if not is_plain(key) or fold(key) in NEVER:
                raise refusal_of(key)
            _walk(each, depth + 1)
    else:
        scalar(value, Manner())


def text_map(keys: re.Pattern[str], *, removable: bool = False) -> Rule:
    """Names of somebody's choice with one value each; `removable` when the whole map may be taken away."""

    def check(value: Any, manner: Manner) -> None:
        if value is None and removable:
            return
        if not isinstance(value, dict):
            raise Refused("A map of names and values is expected where something else stands.")
        for key, each in value.items():
            if not isinstance(key, str) or keys.fullmatch(key) is None:
                raise Refused(f"{show(key)} is no name that may stand there.")
            scalar(each, manner)

    return check


def fields(rules: Mapping[str, Rule], *, removable: bool = False, retain: bool = False) -> Rule:
    """An object with these fields and no others.

    `removable` when it may be taken away as a whole; `retain` when a strategic patch may say which fields stay.
    """

    def check(value: Any, manner: Manner) -> None:
        if value is None and removable:
            return
        if not isinstance(value, dict):
            raise Refused("An object is expected where something else stands, or it would be taken away as a whole.")
        for key, each in value.items():
            rule = rules.get(key) if isinstance(key, str) else None
            if rule is None:
                if not (manner.strategic and _is_directive(key, each, rules, retain=retain)):
                    raise refusal_of(key)
            elif rule is never:
                raise refusal_of(key)
            else:
                try:
                    rule(each, manner)
                except Refused as refusal:
                    # The way to the field, from its end.
                    refusal.add_note(key)
                    raise

    return check


def _is_directive(key: Any, value: Any, rules: Mapping[str, Rule], *, retain: bool) -> bool:
    """Whether a key is a harmless directive of a strategic patch: the order of a list, or a plain list's entries."""
    if not isinstance(key, str) or not key.startswith("$"):
        return False
    name, _, field = key.partition("/")
    if name == "$retainKeys" and retain and not field:
        return _is_plain_list(value) and all(each in rules for each in value)
    if name == "$setElementOrder":
        rules.get(field, never)([], Manner(patch=True))
        return _is_order(value)
    if name == "$deleteFromPrimitiveList":
        return rules.get(field) in {scalars, free} and _is_plain_list(value)
    raise Refused(f"The directive {show(key)} is not followed here: change the fields themselves.")


def _is_plain_list(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, (str, int)) for each in value)


def _is_order(value: Any) -> bool:
    """Whether a value lists entries by nothing but their keys."""
    return isinstance(value, list) and all(
        len(each) <= 2 and all(isinstance(part, (str, int)) for part in each.values())
        if isinstance(each, dict)
        else isinstance(each, (str, int))
        for each in value
    )


def scalars(value: Any, manner: Manner) -> None:
    """A list of plain values; may be taken away."""
    for each in value if isinstance(value, list) else [value]:
        scalar(each, manner)
