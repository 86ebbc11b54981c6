"""Rules of lists: each type of patch treats them in another way."""

from __future__ import annotations

from typing import Any

from .command import Refused
from .content_rules import Manner, Rule

MOST_ENTRIES = 500


def each(rule: Rule, *, plain: bool = False) -> Rule:
    """A list whose entries follow a rule.

    `plain`: nothing is weakened when entries go, so that patches may take them away or replace the list. Others only
    get entries, or changes in them.
    """

    def check(value: Any, manner: Manner) -> None:
        if value is None and plain:
            return
        if not isinstance(value, list):
            raise Refused("A list is expected where something else stands, or it would be taken away as a whole.")
        if len(value) > MOST_ENTRIES:
            raise Refused("A list is too long.")
        if manner.replaces_lists and not plain:
            raise Refused("A merge patch would replace a whole list of containers: use the type strategic or json.")
        for entry in value:
            if not _goes(entry, manner, plain=plain):
                rule(entry, manner)

    return check


def _goes(entry: Any, manner: Manner, *, plain: bool) -> bool:
    """Whether an entry only says that an entry, or all, are to go; `Refused` where they must stay."""
    if entry is None and manner.pointed:
        if not plain:
            raise Refused("A container, or an entry like it, is not taken away.")
        return True
    if not (manner.strategic and isinstance(entry, dict) and "$patch" in entry):
        return False
    directive = entry["$patch"]
    keys = [value for key, value in entry.items() if key != "$patch"]
    if not plain or not isinstance(directive, str) or any(not isinstance(key, (str, int)) for key in keys):
        raise Refused("'$patch' only takes away entries of plain lists.")
    if not ((directive == "delete" and 1 <= len(keys) <= 2) or (directive == "replace" and not keys)):
        raise Refused("'$patch' only takes away one entry by its key, or all.")
    return True
