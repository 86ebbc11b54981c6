"""Every hook a plugin can implement: the whole plugin contract on one page.

A plugin is a module that marks functions with `@hookimpl`. A hook may take fewer arguments than listed here. Hooks
are called once, synchronously, and return at once: anything awaited belongs to the objects they return. A hook that
raises, or returns something else than promised here, disables its plugin and nothing else.
"""

# mypy: disable-error-code="empty-body"
# The functions are declarations for pluggy: their signature and docstring are all there is.

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from pluggy import HookimplMarker, HookspecMarker

from agent_gateway.completion import ModelProvider
from agent_gateway.intent import IntentDefinition
from agent_gateway.interfaces import Clusters
from agent_gateway.messages import Run
from agent_gateway.persona import Persona
from agent_gateway.tool import Tool, ToolCall

if TYPE_CHECKING:
    import typer
    from pydantic import BaseModel

#: The project name plugins and gateway share; also the group of entry points.
PROJECT = "agent_gateway"

hookspec = HookspecMarker(PROJECT)
hookimpl = HookimplMarker(PROJECT)


class CheckResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a check found: `ok` or not, one line about it, and what to do when it is not."""

    ok: bool
    detail: str
    hint: str = ""


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """A check of `agent-gateway doctor`. `run` gets the gateway's clusters; it has `timeout_seconds`."""

    name: str
    run: Callable[[Clusters], Awaitable[CheckResult]]
    timeout_seconds: float = 5.0


class DocumentFolder(msgspec.Struct, frozen=True):
    """A folder of documents and the collection it is ingested into; a relative one starts at the plugin's file."""

    path: Path
    collection: str


@hookspec
def register_personas() -> list[Persona]:
    """Add personas. One with its own port is served without being listed in personas.yaml."""


@hookspec
def register_tools(settings: Mapping[str, BaseModel]) -> list[Tool]:
    """Add tools. A persona uses those it lists; `agent_gateway.tool` makes one of a typed async function.

    `settings` holds the plugin's own validated settings under its name; it is empty when the plugin registers none.
    """


@hookspec
def register_models() -> list[ModelProvider]:
    """Add providers of language models. Models whose id begins with a provider's name and a slash are opened by it."""


@hookspec
def register_intents() -> list[IntentDefinition]:
    """Add intents. The classifier learns each from its examples, a JSON Lines file of 8 sentences or more."""


@hookspec
def register_knowledge() -> list[DocumentFolder]:
    """Add documents that belong to no single persona; those that list the collection search them."""


@hookspec
def register_settings() -> type[BaseModel]:
    """Name the pydantic model that validates `plugins.<name>` in the settings."""


@hookspec
def register_commands(app: typer.Typer, settings: Mapping[str, BaseModel]) -> None:
    """Add commands to the `agent-gateway` command line. `settings` is as above, of the working folder's settings."""


@hookspec
def register_checks(settings: Mapping[str, BaseModel]) -> list[Check]:
    """Add checks for `agent-gateway doctor`: what the plugin needs, and whether it is there. `settings` is as above."""


@hookspec
def before_tool_call(call: ToolCall, persona: Persona, owner: str) -> str | None:
    """Veto a call by returning why, one sentence; None lets it pass. Nobody can allow what the gate does not.

    Called for every call the gate would let run or ask about, and once more right before a write takes effect.
    `call.arguments` are converted to the tool's types. A hook that raises vetoes the call.
    """


@hookspec
def on_startup(settings: Mapping[str, BaseModel]) -> None:
    """Prepare before the first turn. `settings` holds the plugin's own validated settings under its name.

    It is empty when the plugin registers no settings. Raising here takes the plugin's personas out of service.
    """


@hookspec
def on_shutdown() -> None:
    """Release what `on_startup` took, after the last turn."""


@hookspec
def on_run_finished(run: Run) -> None:
    """Observe a run that has ended: completed, failed or cancelled. An error here is logged and changes nothing."""
