"""The secrets that plugins hold: what their settings name, read to be hidden before any plugin uses it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from io import StringIO
from pathlib import Path, PurePath
from types import MappingProxyType

from pydantic import BaseModel

_VARIABLES = "_env"
_FILES = ("token_file", "password_file", "key_file")
#: A file that is larger holds something else.
_LARGEST = 20_000
#: Deeper than any settings; they may hold themselves.
_DEEPEST = 30


def held_secrets(settings: Mapping[str, BaseModel]) -> Iterator[str]:
    """Yield the values of the environment variables and files that plugins' settings name.

    A key that ends in `_env` names a variable, or several in a list or mapping; `token_file`, `password_file` and
    `key_file`, also as the end of a longer key, name files. What is missing or cannot be read is left out: it hides
    nothing yet. Whatever else the settings hold, an open connection or a lock, is not touched.
    """
    for model in settings.values():
        yield from filter(None, _held(model, _DEEPEST))


def _held(value: object, depth: int) -> Iterator[str]:
    """Read what is named within a value."""
    for key, below in _inside(value) if depth else ():
        name = key.lower() if isinstance(key, str) else ""
        if name.endswith(_VARIABLES):
            yield from map(_variable, _strings(below, depth - 1))
        elif name.endswith(_FILES):
            yield from (_read(Path(each)) for each in _strings(below, depth - 1))
        else:
            yield from _held(below, depth - 1)


def _strings(value: object, depth: int) -> Iterator[str]:
    """Every string and path within a value."""
    if isinstance(value, str | PurePath):
        yield str(value)
    for _, below in _inside(value) if depth else ():
        yield from _strings(below, depth - 1)


def _inside(value: object) -> Iterable[tuple[object, object]]:
    """What a value holds, by its name or its place. A model is not dumped: that fails for what JSON does not know."""
    if isinstance(value, BaseModel):
        return [*vars(value).items(), *(value.model_extra or {}).items()]
    if isinstance(value, dict | MappingProxyType):
        return value.items()
    if isinstance(value, list | tuple | set | frozenset):
        return enumerate(value)
    return ()


def _variable(name: str) -> str:
    try:
        return os.environ.get(name, "")
    except UnicodeError:  # half a character, which no variable's name has
        return ""


def _read(file: Path) -> str:
    try:
        # A pipe would be waited for.
        with file.open(encoding="utf-8") if file.is_file() else StringIO() as opened:
            text = opened.read(_LARGEST + 1)
    except (OSError, ValueError):
        return ""
    return text if len(text) <= _LARGEST else ""
