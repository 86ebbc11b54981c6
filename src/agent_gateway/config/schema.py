"""What keys a pydantic model knows, seen through optional, mapping and list types: for finding misspelt ones."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, TypeAlias, Union, get_args, get_origin

from pydantic import BaseModel, RootModel

KeyPath: TypeAlias = tuple[str, ...]


def unwrap(annotation: Any) -> Any:
    """Strip `Annotated` and choose the arm of a union that has keys, if one does."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) in {Union, types.UnionType}:
        arms = [unwrap(arm) for arm in get_args(annotation) if arm is not type(None)]
        return next((arm for arm in arms if as_model(arm) or get_origin(arm)), arms[0])
    return annotation


def as_model(annotation: Any) -> type[BaseModel] | None:
    """Return the annotation when it is a model with named fields."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel) and not issubclass(annotation, RootModel):
        return annotation
    return None


def fields(model: type[BaseModel]) -> dict[str, Any]:
    """Map each key a model takes, aliases included, to its annotation."""
    known: dict[str, Any] = {}
    for name, info in model.model_fields.items():
        for key in (name, info.alias, info.validation_alias):
            if isinstance(key, str):
                known[key] = info.annotation
    return known


def item(annotation: Any) -> Any:
    """Return the type of the values of a mapping or list type, `Any` when it says nothing."""
    origin, args = get_origin(annotation), get_args(annotation)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return args[1]
    if isinstance(origin, type) and issubclass(origin, list | tuple) and args:
        return args[0]
    return Any


def keys_at(annotation: Any, path: KeyPath) -> tuple[str, ...]:
    """Return the keys known at a path; empty where any key is allowed or there is nothing below."""
    annotation = unwrap(annotation)
    model = as_model(annotation)
    if not path:
        return tuple(fields(model)) if model else ()
    return keys_at(fields(model).get(path[0], Any) if model else item(annotation), path[1:])


def unknown_paths(annotation: Any, values: Any, path: KeyPath = ()) -> Iterator[KeyPath]:
    """Yield the path of every key in nested values that the type does not know."""
    annotation = unwrap(annotation)
    model = as_model(annotation)
    known = fields(model) if model else {}
    if isinstance(values, list | tuple):
        for index, value in enumerate(values):
            yield from unknown_paths(item(annotation), value, (*path, str(index)))
    if not isinstance(values, Mapping):
        return
    for key, value in values.items():
        here = (*path, str(key))
        if model is None:
            yield from unknown_paths(item(annotation), value, here)
        elif key in known:
            yield from unknown_paths(known[key], value, here)
        elif model.model_config.get("extra") != "allow":
            yield here
