"""Names that arrive in a request: ids in paths and bodies, the request's own id, the last event seen."""

from __future__ import annotations

import re
import secrets
from typing import Any

from agent_gateway.api.asgi import header
from agent_gateway.errors import InvalidInput, NotFound

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_SEQUENCE = re.compile(rb"[0-9]{1,15}")

#: The largest `Last-Event-ID`.
MAXIMUM_SEQUENCE = 10**15 - 1


def request_id(scope: Any) -> str:
    """Take the caller's `X-Request-ID` when it is harmless, else a new one."""
    given = header(scope, b"x-request-id")
    if given is not None and _REQUEST_ID.fullmatch(given):
        return given.decode("ascii")
    return secrets.token_hex(8)


def check_id(value: str, kind: str) -> str:
    """Check that an id looks like the gateway's: anything else cannot exist and need not be asked for."""
    if _ID.fullmatch(value) is None:
        raise NotFound(f"There is no such {kind}.", code=f"{kind}_not_found")
    return value


def last_event_id(scope: Any) -> int:
    """Return the sequence number after which a stream goes on; 0 is its start."""
    given = header(scope, b"last-event-id")
    if given is None:
        return 0
    if _SEQUENCE.fullmatch(given) is None:
        raise InvalidInput("Last-Event-ID must be a whole number, 0 or more.", code="invalid_last_event_id")
    return int(given)
