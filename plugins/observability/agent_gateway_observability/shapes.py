"""Looks into JSON that somebody else wrote: what has another shape than documented is an error of that server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import agent_gateway as ag

from .servers import Place

T = TypeVar("T")


def as_documented(place: Place, read: Callable[[], T]) -> T:
    """What a reader makes of an answer; `Unavailable` when the answer has another shape than it expects."""
    try:
        return read()
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError):
        detail = f"the answer of {place.told} has another shape than its API documents"
        hint = f"is plugins.observability.{place.kind} the address of such a server?"
        raise ag.Unavailable(detail, code="server_answer", hint=hint) from None


def as_dicts(value: Any) -> list[dict[str, Any]]:
    """A list of objects; `TypeError` for anything else, and nothing for null."""
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise TypeError("a list of objects is expected")
    return value
