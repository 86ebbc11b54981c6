"""What the OpenAPI document says about an endpoint; written where the endpoint is, carried in its `opt`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import msgspec

#: What can be wrong with any JSON body.
JSON_ERRORS = (400, 408, 413, 415)


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """`body`, `query`: shapes of what is taken. `reply`: shape of what is given with `status`, None for nothing.

    `streams`: `always` or `maybe` text/event-stream. `resumes`: takes `Last-Event-ID`. `errors`: statuses of problems
    beside those every endpoint may have.
    """

    summary: str
    body: type[msgspec.Struct] | None = None
    query: type[msgspec.Struct] | None = None
    reply: Any = None
    status: int = 200
    streams: Literal["never", "maybe", "always"] = "never"
    resumes: bool = False
    errors: tuple[int, ...] = ()


def described(**methods: Endpoint) -> dict[str, Any]:
    """Make the `opt` of a route handler that carries the description of each of its methods."""
    return {"endpoints": methods}
