"""Checks values against a server's JSON schema, on the event loop: so it takes no more than a moment."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

import agent_gateway as ag

from .patterns import Patterns

_LONGEST_FAULT = 300
#: Keywords looked at in one check. References make a small schema a large one.
_MOST_STEPS = 10_000
#: These look through a whole schema by themselves, with its patterns; the server checks them.
_NOT_CHECKED = ("unevaluatedItems", "unevaluatedProperties")
_ENDLESS = "the tool's schema takes too long to be followed"


class _TooMuch(Exception):
    """A check has taken too many steps, or would leave the rules it has here."""


class _Steps:
    def __init__(self) -> None:
        self.left = _MOST_STEPS

    def take(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise _TooMuch


def dialect_fault(schema: Mapping[str, Any]) -> str:
    """Why a schema cannot be followed at all; empty when it can."""
    import jsonschema  # type: ignore[import-untyped] # noqa: PLC0415 - it has no types, and takes a while

    if any(isinstance(each.get("$schema"), str) for each in _below(schema)):
        return "names a dialect further down: only one is followed"
    try:
        jsonschema.validators.validator_for(schema, jsonschema.Draft202012Validator).check_schema(schema)
    except (jsonschema.SchemaError, RecursionError) as error:
        return f"is none: {ag.excerpt(str(error).splitlines()[0], _LONGEST_FAULT)}"
    return ""


def checker(schema: Mapping[str, Any]) -> Callable[[Any], str]:
    """What tells the first thing that is wrong with a value; empty when it follows the schema."""
    patterns, steps = Patterns(schema), _Steps()
    # It has been read to choose the rules, and would be read again wherever a reference leads back here.
    outline = {name: value for name, value in schema.items() if name != "$schema"}

    @cache
    def validator() -> Any:
        import referencing  # noqa: PLC0415 - it takes a while, and tools are made before the ports answer

        # With a registry of its own nothing is fetched, wherever a reference points.
        return _rules(schema, patterns, steps)(outline, registry=referencing.Registry())

    def find_fault(value: Any) -> str:
        import jsonschema  # noqa: PLC0415 - as above
        import referencing  # noqa: PLC0415 - as above

        steps.left = _MOST_STEPS
        try:
            error = jsonschema.exceptions.best_match(validator().iter_errors(value))
        except referencing.exceptions.Unresolvable:
            return "the tool's schema refers to what is not in it"
        except (_TooMuch, RecursionError):
            return _ENDLESS
        if error is None:
            return ""
        place = ".".join(map(str, error.absolute_path))
        return ag.excerpt(f"{f'`{place}`: ' if place else ''}{error.message}", _LONGEST_FAULT)

    return find_fault


def _below(value: Any, *, at_top: bool = True) -> Iterator[Mapping[str, Any]]:
    """Every object within a schema, but for itself."""
    if isinstance(value, Mapping):
        if not at_top:
            yield value
        value = list(value.values())
    for each in value if isinstance(value, list) else ():
        yield from _below(each, at_top=False)


def _rules(schema: Mapping[str, Any], patterns: Patterns, steps: _Steps) -> Any:
    """The class that checks by the schema's dialect: patterns are matched quickly, and steps are counted."""
    import jsonschema  # noqa: PLC0415 - as above

    stock = jsonschema.validators.validator_for(schema, jsonschema.Draft202012Validator)
    own = {name: rule for name, rule in _PatternRules(patterns).by_keyword.items() if name in stock.VALIDATORS}
    known = {name: rule for name, rule in {**stock.VALIDATORS, **own}.items() if name not in _NOT_CHECKED}
    kind = jsonschema.validators.create(
        meta_schema=stock.META_SCHEMA,
        validators={name: _counted(rule, steps) for name, rule in known.items()},
        type_checker=stock.TYPE_CHECKER,
        format_checker=stock.FORMAT_CHECKER,
        id_of=stock.ID_OF,
        applicable_validators=stock._APPLICABLE_VALIDATORS,  # noqa: SLF001 - `extend` copies it, but cannot leave rules out
    )
    evolve = kind.evolve

    def stay(validator: Any, **changes: Any) -> Any:
        """Below a schema that names a dialect of its own the library would go on with other rules than these."""
        found = evolve(validator, **changes)
        if not isinstance(found, kind):
            raise _TooMuch
        return found

    kind.evolve = stay
    return kind


def _counted(rule: Any, steps: _Steps) -> Any:
    def check(validator: Any, value: Any, instance: Any, schema: Any) -> Any:
        steps.take()
        return rule(validator, value, instance, schema)

    return check


class _PatternRules:
    """The keywords that match patterns. What cannot be told here is taken to be right."""

    def __init__(self, patterns: Patterns) -> None:
        import jsonschema  # noqa: PLC0415 - as above

        self._error = jsonschema.ValidationError
        self._match = patterns.match
        self.by_keyword: Mapping[str, Any] = {
            "pattern": self._pattern,
            "patternProperties": self._pattern_properties,
            "additionalProperties": self._additional_properties,
        }

    def _pattern(self, validator: Any, value: str, instance: Any, schema: Any) -> Iterator[Any]:
        if validator.is_type(instance, "string") and self._match(value, instance) is False:
            yield self._error(f"{instance!r} does not match {value!r}")

    def _pattern_properties(
        self, validator: Any, value: Mapping[str, Any], instance: Any, schema: Any
    ) -> Iterator[Any]:
        for name, below in instance.items() if validator.is_type(instance, "object") else ():
            for each, wanted in value.items():
                if self._match(each, name):
                    yield from validator.descend(below, wanted, path=name, schema_path=each)

    def _additional_properties(self, validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[Any]:
        if not validator.is_type(instance, "object"):
            return
        named, matching = schema.get("properties", {}), schema.get("patternProperties", {})
        others = [name for name in instance if name not in named]
        extra = [name for name in others if all(self._match(each, name) is False for each in matching)]
        if validator.is_type(value, "object"):
            for name in extra:
                yield from validator.descend(instance[name], value, path=name)
        elif not value and extra:
            told = ", ".join(repr(name) for name in extra)
            yield self._error(f"Additional properties are not allowed ({told} unexpected)")
