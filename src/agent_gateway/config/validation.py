"""Turns layers of values into a validated model and *all* faults, keeping whatever is right."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_settings import InitSettingsSource

from agent_gateway.config.layers import Layer, Origins, prune
from agent_gateway.config.schema import KeyPath, keys_at, unknown_paths
from agent_gateway.config.settings import Settings
from agent_gateway.config.wording import reword, suggest
from agent_gateway.errors import Fault

Model = TypeVar("Model", bound=BaseModel)
Layers = tuple[Layer, ...]


def validate(
    model: type[Model], layers: Layers, build: Callable[[Layers], Model]
) -> tuple[Model | None, Origins, tuple[Fault, ...]]:
    """Build a model from layers, leaving out wrong keys one by one until it can be built.

    Returns the model (None when something required is missing), the origins of what was given, and all faults.
    """
    origins = Origins(layers)
    faults = [unknown(model, layer, path) for layer in layers for path in unknown_paths(model, layer.values)]
    layers = tuple(without(layer, tuple(unknown_paths(model, layer.values))) for layer in layers)
    while True:
        try:
            return build(layers), origins, tuple(faults)
        except ValidationError as exc:
            found = dict(wrong(exc, origins))
            faults.extend(found.values())
            pruned = tuple(without(layer, tuple(found)) for layer in layers)
            if pruned == layers:  # something is missing rather than wrong
                return None, origins, tuple(faults)
            layers = pruned


def validate_section(
    model: type[Model], values: Mapping[str, Any], origins: Origins, prefix: KeyPath
) -> tuple[Model | None, tuple[Fault, ...]]:
    """Validate the values of one section, at a path of the settings, by somebody else's model."""
    strange = tuple(unknown_paths(model, values))
    faults = [
        origins.fault((*prefix, *path), "is not a known key", hint=suggest(path[-1], keys_at(model, path[:-1])))
        for path in strange
    ]
    try:
        valid = model.model_validate(without(Layer(file="", values=values), strange).values)
    except ValidationError as exc:
        return None, (*faults, *(fault for _, fault in wrong(exc, origins, prefix)))
    return (None if faults else valid), tuple(faults)


def unknown(model: type[BaseModel], layer: Layer, path: KeyPath) -> Fault:
    """Make the fault of a key that a layer gives and nobody knows."""
    here: Any = layer.values
    for part in path:
        here = here[part] if isinstance(here, Mapping) else here[int(part)]
    hint = suggest(path[-1], keys_at(model, path[:-1]))
    return Origins((layer,)).fault(path, "is not a known key", value=here, hint=hint)


def wrong(error: ValidationError, origins: Origins, prefix: KeyPath = ()) -> Iterator[tuple[KeyPath, Fault]]:
    """Yield the path and fault of each value a validation refused."""
    for each in error.errors(include_url=False, include_context=False):
        path = (*prefix, *(str(part) for part in each["loc"] if part != "[key]"))
        value = "" if each["type"] == "missing" else each["input"]
        yield path, origins.fault(path, reword(each["msg"]), value=value)


def without(layer: Layer, paths: Sequence[KeyPath]) -> Layer:
    """Return a layer without the values at some paths."""
    values: Any = layer.values
    for path in paths:
        values = prune(values, path)
    return replace(layer, values=values)


def build_settings(layers: Layers) -> Settings:
    """Merge layers, strongest first, into settings; raises `ValidationError`."""
    sources = tuple(InitSettingsSource(Settings, init_kwargs=dict(layer.values)) for layer in layers)
    return Settings(_build_sources=(sources, {}))
