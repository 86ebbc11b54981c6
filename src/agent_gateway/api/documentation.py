"""What the OpenAPI document says about an endpoint; written where the endpoint is, carried in its `opt`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import msgspec

from agent_gateway.messages import ROLES, Role

Roles: TypeAlias = tuple[Role, ...]

#: Who may read, who may also ask, who may also change what there is, and who decides on approvals.
READERS: Roles = ROLES
ASKERS: Roles = ("viewer", "operator")
OPERATORS: Roles = ("operator",)
APPROVERS: Roles = ("approver",)

#: What can be wrong with any JSON body.
JSON_ERRORS = (400, 408, 413, 415)


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """`body`, `query`: shapes of what is taken. `reply`: shape of what is given with `status`, None for nothing.

    `streams`: `always` or `maybe` text/event-stream. `resumes`: takes `Last-Event-ID`. `errors`: statuses of problems
    beside those every endpoint may have. `roles`: one of these is needed; with none written, nobody comes in.
    """

    summary: str
    roles: Roles = ()
    body: type[msgspec.Struct] | None = None
    query: type[msgspec.Struct] | None = None
    reply: Any = None
    status: int = 200
    streams: Literal["never", "maybe", "always"] = "never"
    resumes: bool = False
    errors: tuple[int, ...] = ()


def described(**methods: Endpoint) -> dict[str, Any]:
    """Make the `opt` of a route handler that carries the description of each of its methods."""
    return {"endpoints": methods, **allowed(**{name: endpoint.roles for name, endpoint in methods.items()})}


def allowed(**methods: Roles) -> dict[str, Any]:
    """Make the `opt` of a route handler that only says who may use each of its methods."""
    return {"roles": {name.upper(): roles for name, roles in methods.items()}}


def roles_of(opt: Mapping[str, Any], method: str) -> Roles:
    """Read which roles a handler's method is for; of none when nothing is written."""
    found: Roles = opt.get("roles", {}).get(method, ())
    return found
