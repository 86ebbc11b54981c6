"""The secrets that plugins hold: what their settings name, read to be hidden before any plugin uses it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

_VARIABLES = "_env"
_FILES = ("token_file", "password_file", "key_file")
#: A file that is larger holds something else.
_LARGEST = 20_000


def held_secrets(settings: Mapping[str, BaseModel]) -> Iterator[str]:
    """Yield the values of the environment variables and files that plugins' settings name.

    A key that ends in `_env` names a variable, or several in a mapping; `token_file`, `password_file` and `key_file`,
    also as the end of a longer key, name files. What is missing or cannot be read is left out: it hides nothing yet.
    """
    for model in settings.values():
        yield from filter(None, _named(model.model_dump(mode="json")))


def _named(values: Mapping[str, Any]) -> Iterator[str]:
    for key, value in values.items():
        if key.endswith(_VARIABLES):
            names = value.values() if isinstance(value, Mapping) else [value]
            yield from (os.environ.get(str(name), "") for name in names if name)
        elif key.endswith(_FILES) and isinstance(value, str):
            yield _read(Path(value))
        else:
            for below in value if isinstance(value, list) else [value]:
                if isinstance(below, Mapping):
                    yield from _named(below)


def _read(file: Path) -> str:
    try:
        with file.open(encoding="utf-8") as opened:
            text = opened.read(_LARGEST + 1)
    except (OSError, ValueError):
        return ""
    return text if len(text) <= _LARGEST else ""
