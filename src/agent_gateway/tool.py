"""Tools: definition, call and result. A tool is a typed async function; its JSON schema comes from the signature."""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal, TypeAlias, get_type_hints

import msgspec

Effect = Literal["read", "write"]
#: The effect of a tool, or a function of its arguments that tells it.
EffectRule: TypeAlias = Effect | Callable[[Mapping[str, Any]], Effect]
ResultStatus = Literal["ok", "failed", "refused"]

#: The parameter a tool names to be given the turn's context; it is no argument of the model's.
CONTEXT_PARAMETER = "context"
TOOL_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
#: The executor's own tool, which pages through what was cut; no plugin may take its name.
READ_MORE = "read_more"


class ToolCall(msgspec.Struct, frozen=True, kw_only=True):
    """A call that is to be made, with arguments that follow the tool's schema."""

    id: str
    name: str
    arguments: dict[str, Any]


class ToolResult(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The outcome of a call. `text` is within the tool's output budget.

    `refused`: the gate did not let it run. `mendable`: it failed without having run, because there is no such tool or
    its arguments do not fit. `more` names the kept output, for `read_more`; `text` is the first of its `pages`.
    """

    call_id: str
    name: str
    status: ResultStatus
    text: str
    ms: float = 0.0
    mendable: bool = False
    more: str = ""
    pages: int = 0


class Tool(msgspec.Struct, frozen=True, kw_only=True):
    """A tool. `arguments` is the struct its arguments are converted to, `parameters` that struct's JSON schema.

    `run` takes the arguments by name, and `context` when `takes_context`. It returns text, or what JSON can hold.
    `output_limit` is in characters, `timeout_seconds` in seconds.
    """

    name: str
    description: str
    run: Callable[..., Awaitable[Any]]
    arguments: type[msgspec.Struct]
    parameters: Mapping[str, Any]
    effect: EffectRule = "read"
    timeout_seconds: float = 10.0
    output_limit: int = 4000
    takes_context: bool = False

    def effect_of(self, arguments: Mapping[str, Any]) -> Effect:
        """The effect of a call with these arguments."""
        return self.effect(arguments) if callable(self.effect) else self.effect


def tool(
    function: Callable[..., Awaitable[Any]],
    *,
    name: str = "",
    effect: EffectRule = "read",
    timeout_seconds: float = 10.0,
    output_limit: int = 4000,
) -> Tool:
    """Make a tool of a typed async function with a docstring.

    Its parameters become the schema's properties; describe one with `Annotated[str, msgspec.Meta(description=...)]`.
    A parameter called `context` is given the turn's context. `TypeError` and `ValueError` say what does not fit.
    """
    chosen = name or getattr(function, "__name__", "")
    description = inspect.getdoc(function) or ""
    if not TOOL_NAME.fullmatch(chosen):
        raise ValueError(f"'{chosen}' is no name of a tool: lowercase letters, digits and underscores")
    if not inspect.iscoroutinefunction(function) or not description:
        raise TypeError(f"the tool '{chosen}' must be an async function with a docstring")
    if timeout_seconds <= 0 or output_limit <= 0:
        raise ValueError(f"the tool '{chosen}' needs a positive timeout and output limit")
    signature = inspect.signature(function)
    arguments = _struct_of(chosen, function, signature)
    return Tool(
        name=chosen,
        description=description,
        run=function,
        arguments=arguments,
        parameters=_schema_of(arguments),
        effect=effect,
        timeout_seconds=timeout_seconds,
        output_limit=output_limit,
        takes_context=CONTEXT_PARAMETER in signature.parameters,
    )


def _struct_of(name: str, function: Callable[..., Any], signature: inspect.Signature) -> type[msgspec.Struct]:
    hints = get_type_hints(function, include_extras=True)
    fields: list[Any] = []
    for parameter in signature.parameters.values():
        if parameter.name == CONTEXT_PARAMETER:
            continue
        if parameter.kind in {parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD, parameter.POSITIONAL_ONLY}:
            raise TypeError(f"the tool '{name}' cannot take '{parameter}': arguments are given by name")
        if parameter.name not in hints:
            raise TypeError(f"the tool '{name}' must say the type of '{parameter.name}'")
        field = (parameter.name, hints[parameter.name])
        fields.append(field if parameter.default is parameter.empty else (*field, parameter.default))
    return msgspec.defstruct(f"{name}_arguments", fields, kw_only=True, forbid_unknown_fields=True)


def _schema_of(arguments: type[msgspec.Struct]) -> dict[str, Any]:
    """The JSON schema, without what only repeats the name."""
    _, components = msgspec.json.schema_components([arguments])
    schema: dict[str, Any] = dict(components[arguments.__name__])
    schema.pop("title", None)
    others = {name: each for name, each in components.items() if name != arguments.__name__}
    return {**schema, **({"$defs": others} if others else {})}
