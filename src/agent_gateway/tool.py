"""Tools: definition, call and result. A tool is a typed async function; its JSON schema comes from the signature."""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal, TypeAlias, TypedDict, Unpack, get_type_hints

import msgspec

Effect = Literal["read", "write"]
#: The effect of a tool, or a function of its arguments that tells it.
EffectRule: TypeAlias = Effect | Callable[[Mapping[str, Any]], Effect]
ResultStatus = Literal["ok", "failed", "refused", "waiting"]
Decision = Literal["allow", "ask", "deny"]
#: What became of a write, as far as the world can tell.
Outcome = Literal["done", "not_done", "unknown"]

#: Parameters that are no arguments of the model's: a tool that names one is given the turn's context, or what allows
#: its write.
CONTEXT_PARAMETER = "context"
WARRANT_PARAMETER = "warrant"
_GIVEN = frozenset({CONTEXT_PARAMETER, WARRANT_PARAMETER})
TOOL_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
#: The executor's own tool, which pages through what was cut; no plugin may take its name.
READ_MORE = "read_more"
#: The built-in tool that puts a question to a human.
ASK_HUMAN = "ask_human"


class ToolCall(msgspec.Struct, frozen=True, kw_only=True):
    """A call that is to be made, with arguments that follow the tool's schema."""

    id: str
    name: str
    arguments: dict[str, Any]


class ToolResult(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The outcome of a call. `text` is within the tool's output budget, and without secrets.

    `refused`: the gate, or a human, did not let it run. `waiting`: a human must decide first, on `approval`.
    `mendable`: it failed without having run, because there is no such tool or its arguments do not fit. `more` names
    the kept output, for `read_more`; `text` is the first of its `pages`.
    """

    call_id: str
    name: str
    status: ResultStatus
    text: str
    ms: float = 0.0
    mendable: bool = False
    more: str = ""
    pages: int = 0
    approval: str = ""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What was decided on a call; `reason` is one sentence, empty when the call is simply allowed."""

    decision: Decision
    reason: str = ""


class Target(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that a write changes, as it was when somebody looked.

    `name` tells it from everything else (`air/deployments.apps/web/api`, `https://git.example.org/apps.git@main`).
    `uid` is what its system calls identity, empty for what does not exist yet. `version` is everything that must be the
    same when the write is made: the state (a resourceVersion or a commit), and a digest of what would be written where
    that is made of something else that may change.
    """

    name: str
    uid: str = ""
    version: str = ""


class Preview(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a write would do, found out without doing it: one sentence, the dry run's unified diff, and its targets."""

    summary: str
    diff: str = ""
    targets: tuple[Target, ...] = ()


class Warrant(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What allows one write, for the tool that makes it.

    `key` names this one effect for ever: a system that takes idempotency keys is given it, and a trace of it is how
    `verify` finds the effect again. `targets` are the preview's: the write must not happen when one has changed since.
    `approver` is empty when no human was asked; `comment` is what the human wrote with the decision.
    """

    key: str
    run_id: str
    persona: str
    requester: str
    approver: str = ""
    comment: str = ""
    targets: tuple[Target, ...] = ()


class Verification(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the world says about a write; `text` is one sentence with what was looked at.

    `failed`: the write was made, and what it was to bring about has not come: the call's result is `failed`.
    """

    outcome: Outcome
    text: str
    failed: bool = False


class PlainRequest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A message as tools are asked whether they recognize it; what every tool would look for is read out of it.

    `text` is the message, `rest` is it in lower case, without politeness, and without the words of the fields that
    follow. `category` is the intent's name. `seconds` is the length of a time window that ends now, 0 when none is
    named.
    """

    text: str
    rest: str
    category: str
    namespace: str = ""
    all_namespaces: bool = False
    cluster: str = ""
    seconds: int = 0


class Recognition(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A plain request that a tool understands without a model.

    `arguments` are those of the call. `command`: the message is the tool's own language, word for word, and nothing
    else. `confidence` is from 0 to 1: how sure it is that this call is what was meant. `meaning` completes "I
    understood: ...", and `missing` says what the message would have to name; then there is no call. `then` are the
    calls that follow once this one is done: names of tools, with their arguments.
    """

    arguments: dict[str, Any] = {}
    confidence: float
    meaning: str
    command: bool = False
    missing: str = ""
    then: tuple[tuple[str, dict[str, Any]], ...] = ()


class Tool(msgspec.Struct, frozen=True, kw_only=True):
    """A tool. `arguments` is the struct its arguments are converted to, `parameters` that struct's JSON schema.

    `run` takes the arguments by name, and of `context` and `warrant` those that it names. It returns text, or what JSON
    can hold. `output_limit` is in characters, `timeout_seconds` in seconds.

    `intents`: offered for these, besides the intents that name it. `judge` is the tool's own rule about arguments,
    without asking anything or anybody; it can only be stricter than `effect`. `preview` (async, the arguments by name
    and `context`) looks at what a write would change, and raises when it cannot work. `verify` (async, the arguments
    by name, `context` and `warrant`) asks the world whether this very write has happened. `idempotent`: doing it twice
    is doing it once. `redact`: regular expressions of what must not be seen of its output, besides known secrets.
    `recognize` finds the tool's call in a plain message.
    """

    name: str
    description: str
    run: Callable[..., Awaitable[Any]]
    arguments: type[msgspec.Struct]
    parameters: Mapping[str, Any]
    effect: EffectRule = "read"
    timeout_seconds: float = 10.0
    output_limit: int = 4000
    intents: tuple[str, ...] = ()
    judge: Callable[[Mapping[str, Any]], Verdict] | None = None
    preview: Callable[..., Awaitable[Preview]] | None = None
    verify: Callable[..., Awaitable[Verification]] | None = None
    idempotent: bool = False
    redact: tuple[str, ...] = ()
    recognize: Callable[[PlainRequest], Recognition | None] | None = None

    def effect_of(self, arguments: Mapping[str, Any]) -> Effect:
        """The effect of a call with these arguments; what a rule does not call a read is a write."""
        found = self.effect(arguments) if callable(self.effect) else self.effect
        return "read" if found == "read" else "write"

    def judge_call(self, arguments: Mapping[str, Any]) -> Verdict:
        """The tool's own rule: reads run, writes ask, and `judge` may be stricter."""
        by_effect = Verdict(decision="allow")
        if self.effect_of(arguments) == "write":
            by_effect = Verdict(decision="ask", reason=f"'{self.name}' changes something.")
        return by_effect if self.judge is None else stricter(by_effect, self.judge(arguments))


def stricter(one: Verdict, other: Verdict) -> Verdict:
    """The stricter of two verdicts; of two alike, the one that gives a reason."""
    strictness = [_STRICTNESS[each.decision] for each in (one, other)]
    if strictness[0] == strictness[1]:
        return other if other.reason else one
    return one if strictness[0] > strictness[1] else other


_STRICTNESS: Mapping[Decision, int] = {"allow": 0, "ask": 1, "deny": 2}


class Declarations(TypedDict, total=False):
    """What `tool` takes besides the function: the fields of `Tool` of these names."""

    effect: EffectRule
    timeout_seconds: float
    output_limit: int
    intents: tuple[str, ...]
    judge: Callable[[Mapping[str, Any]], Verdict] | None
    preview: Callable[..., Awaitable[Preview]] | None
    verify: Callable[..., Awaitable[Verification]] | None
    idempotent: bool
    redact: tuple[str, ...]
    recognize: Callable[[PlainRequest], Recognition | None] | None


def tool(function: Callable[..., Awaitable[Any]], *, name: str = "", **declared: Unpack[Declarations]) -> Tool:
    """Make a tool of a typed async function with a docstring.

    Its parameters become the schema's properties; describe one with `Annotated[str, msgspec.Meta(description=...)]`.
    Parameters called `context` and `warrant` are given the turn's context and what allows the write. `TypeError` and
    `ValueError` say what does not fit.
    """
    chosen = name or getattr(function, "__name__", "")
    description = inspect.getdoc(function) or ""
    if not TOOL_NAME.fullmatch(chosen):
        raise ValueError(f"'{chosen}' is no name of a tool: lowercase letters, digits and underscores")
    if not inspect.iscoroutinefunction(function) or not description:
        raise TypeError(f"the tool '{chosen}' must be an async function with a docstring")
    if declared.get("timeout_seconds", 1) <= 0 or declared.get("output_limit", 1) <= 0:
        raise ValueError(f"the tool '{chosen}' needs a positive timeout and output limit")
    signature = inspect.signature(function)
    arguments = _struct_of(chosen, function, signature)
    return Tool(
        name=chosen,
        description=description,
        run=function,
        arguments=arguments,
        parameters=_schema_of(arguments),
        **declared,
    )


def given_to(function: Callable[..., Any], **offered: Any) -> dict[str, Any]:
    """Those of `context` and `warrant` that a tool's function names as a parameter."""
    parameters = inspect.signature(function).parameters
    return {name: value for name, value in offered.items() if name in parameters}


def _struct_of(name: str, function: Callable[..., Any], signature: inspect.Signature) -> type[msgspec.Struct]:
    hints = get_type_hints(function, include_extras=True)
    fields: list[Any] = []
    for parameter in signature.parameters.values():
        if parameter.name in _GIVEN:
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
