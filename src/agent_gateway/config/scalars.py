"""What the sections of the settings are made of."""

from __future__ import annotations

import json
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def refuse_bool(value: Any) -> Any:
    """Refuse a truth value for a number: YAML reads `yes` as true, and pydantic would make it 1."""
    if isinstance(value, bool):
        raise ValueError("must be a number, not true or false")  # noqa: TRY004 - pydantic collects ValueError only
    return value


def split_list(value: Any) -> Any:
    """Turn the text of an environment variable, a JSON list or items separated by commas, into a list."""
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("["):
        try:
            return json.loads(value)
        except json.JSONDecodeError as exc:
            raise ValueError("is not a JSON list") from exc
    return [item.strip() for item in value.split(",") if item.strip()]


Number = Annotated[float, BeforeValidator(refuse_bool), Field(allow_inf_nan=False)]
Count = Annotated[int, BeforeValidator(refuse_bool)]


class Section(BaseModel):
    """A part of the settings: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")
