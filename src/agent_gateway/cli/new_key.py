"""`keys new`: a key, and what the settings are to say about it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import yaml
from pydantic import ValidationError

from agent_gateway.api.auth.api_keys import digest_of, new_key
from agent_gateway.cli.output import Output
from agent_gateway.config.auth import AuthSettings
from agent_gateway.errors import InvalidInput

_DAYS = re.compile(r"([1-9]\d{0,4})d")


def make_key(name: str, roles: Sequence[str], personas: Sequence[str], expires: str, *, as_json: bool) -> None:
    """Show a new key and its settings; `InvalidInput` when they would not be valid."""
    key = new_key()
    caller: dict[str, Any] = {"key_sha256": digest_of(key), "roles": list(dict.fromkeys(roles))}
    if personas:
        caller["personas"] = list(dict.fromkeys(personas))
    if expires:
        caller["expires"] = moment(expires)
    settings = {"auth": {"callers": {name: caller}}}
    check(settings["auth"])
    output = Output(as_json=as_json)
    if as_json:
        output.document({"name": name, "key": key, "settings": settings})
        return
    output.text(f"The key of {name}, shown only now:\n\n  {key}\n\nFor the settings file:\n")
    output.text(yaml.safe_dump(settings, sort_keys=False, default_flow_style=None, width=1000).rstrip())


def moment(text: str) -> str:
    """Read a day, or a number of days from now, as ISO 8601 text; `InvalidInput` for anything else and for the past."""
    days = _DAYS.fullmatch(text)
    now = datetime.now(UTC).replace(microsecond=0)
    try:
        found = now + timedelta(days=int(days[1])) if days else datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise InvalidInput(f"{text!r} is no time", hint="write a day such as 2030-01-31, or 90d") from None
    found = found if found.tzinfo is not None else found.replace(tzinfo=UTC)
    if found <= now:
        raise InvalidInput(f"{text!r} is over already")
    return found.isoformat()


def check(auth: dict[str, Any]) -> None:
    """Refuse what the gateway would refuse at its start."""
    try:
        AuthSettings.model_validate(auth)
    except ValidationError as exc:
        error = exc.errors(include_url=False)[0]
        where = ".".join(str(part) for part in error["loc"] if part != "[key]")
        hint = "names are lower-case letters, digits, dots and dashes"
        raise InvalidInput(f"{where}: {error['msg']}", hint=hint) from None
