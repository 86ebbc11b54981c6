"""Whether a selector picks something out, or only leaves something out: then it means nearly everything."""

from __future__ import annotations

import re

from .command import Command, Refused

_COMMAS = re.compile(r",(?![^(]*\))")
_NOTIN = re.compile(r"[ ]notin[ ]*\(")
_BULK = "'{}' picks nothing out, and so nearly everything would be deleted."


def check_selection(command: Command) -> None:
    """`Refused` when what a deletion selects is too much."""
    if command.verb != "delete":
        return
    selectors = [command.options[name] for name in ("selector", "field-selector") if name in command.options]
    if selectors and not any(_selects(selector) for selector in selectors):
        raise Refused(_BULK.format(selectors[0][:80]))


def _selects(selector: str) -> bool:
    """Whether one of its requirements says what the objects have, not only what they do not have."""
    return any(
        not (each.strip().startswith("!") or "!=" in each or _NOTIN.search(each)) for each in _COMMAS.split(selector)
    )
