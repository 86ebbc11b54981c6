"""Every hook is documented with its exact signature, and has a test here that sees it called."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typer
from pydantic import BaseModel
from typer.testing import CliRunner

import agent_gateway as ag
from agent_gateway import hookspecs
from agent_gateway.config import load_configuration
from agent_gateway.models.opening import open_chat_model
from agent_gateway.plugins import Plugins, load_plugins
from agent_gateway.registry import Registry, build_registry

DOCUMENTATION = Path(__file__).parents[2] / "docs" / "plugins.md"
HOOKS = [name for name, value in vars(hookspecs).items() if hasattr(value, f"{hookspecs.PROJECT}_spec")]


class Limits(BaseModel):
    low: int = 1


def with_hooks(folder: Path, **functions: Callable[..., Any]) -> tuple[Plugins, Registry]:
    plugin = SimpleNamespace(**{name: ag.hookimpl(function) for name, function in functions.items()})
    plugins = load_plugins(folder / "plugins", given={"tested": plugin})
    registry = build_registry(load_configuration(folder=folder, environ={}), plugins)
    assert [info.errors for info in registry.plugins] == [(), ()]
    return plugins, registry


@pytest.mark.parametrize("name", HOOKS)
def test_each_hook_is_documented_with_its_exact_signature(name: str) -> None:
    signature = str(inspect.signature(getattr(hookspecs, name))).replace("'", "")
    assert f"### `{name}{signature}`\n" in DOCUMENTATION.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", HOOKS)
def test_each_hook_is_explained_and_has_a_test(name: str) -> None:
    assert len(inspect.getdoc(getattr(hookspecs, name)) or "") > 30
    assert f"test_hook_{name}" in globals()


def test_the_documentation_names_no_other_hooks() -> None:
    headings = [line for line in DOCUMENTATION.read_text(encoding="utf-8").splitlines() if line.startswith("### `")]
    assert [heading.removeprefix("### `").split("(")[0] for heading in headings] == HOOKS


def test_hook_register_personas(tmp_path: Path) -> None:
    def register_personas() -> list[ag.Persona]:
        return [ag.Persona(id="anna", title="Anna", prompt="Hello.", port=30191)]

    _, registry = with_hooks(tmp_path, register_personas=register_personas)
    assert [(each.persona.id, each.plugin) for each in registry.served] == [("anna", "tested")]


def test_hook_register_tools(tmp_path: Path) -> None:
    async def ring(times: int = 1) -> str:
        """Ring the bell."""
        return "ring " * times

    (tmp_path / "agent-gateway.yaml").write_text("plugins: {tested: {low: 7}}")
    given: list[dict[str, BaseModel]] = []

    def register_tools(settings: dict[str, BaseModel]) -> list[ag.Tool]:
        given.append(settings)
        return [ag.tool(ring, intents=("query",))]

    _, registry = with_hooks(tmp_path, register_tools=register_tools, register_settings=lambda: Limits)
    assert list(registry.tools) == ["knowledge_search", "ask_human", "ring"]
    assert registry.plugins[1].registered == ("tool ring", "settings")
    assert given == [{"tested": Limits(low=7)}]
    assert registry.tools_of_intents()["query"] == ("knowledge_search", "ring")


async def test_hook_register_checks(tmp_path: Path) -> None:
    async def look(clusters: ag.Clusters) -> ag.CheckResult:
        return ag.CheckResult(ok=not clusters.names, detail="looked")

    def register_checks() -> list[ag.Check]:
        return [ag.Check(name="bell", run=look)]

    _, registry = with_hooks(tmp_path, register_checks=register_checks)
    assert [each.name for each in registry.checks] == ["bell"]


def test_hook_before_tool_call(tmp_path: Path) -> None:
    def before_tool_call(call: ag.ToolCall, owner: str) -> str | None:
        if call.arguments.get("times", 0) > 3:
            raise ValueError("too loud")
        return "the neighbours sleep" if owner == "nora" else None

    _, registry = with_hooks(tmp_path, before_tool_call=before_tool_call)
    persona = ag.Persona(id="p", title="P", prompt="P")
    quiet = ag.ToolCall(id="1", name="ring", arguments={"times": 1})
    assert registry.veto(quiet, persona, "local") == ""
    assert registry.veto(quiet, persona, "nora") == "the neighbours sleep"
    loud = ag.ToolCall(id="1", name="ring", arguments={"times": 9})
    assert registry.veto(loud, persona, "local") == "the plugin 'tested' could not judge the call"


async def test_hook_register_models(tmp_path: Path) -> None:
    class Parrot:
        """Says what it is called."""

        def __init__(self, spec: ag.ModelSpec) -> None:
            self.spec = spec

        async def stream(self, request: ag.CompletionRequest) -> AsyncIterator[ag.CompletionChunk]:
            yield ag.CompletionChunk(text=f"{self.spec.name} heard {request.messages[-1].content}")
            yield ag.CompletionChunk(finish="stop")

        async def close(self) -> None:
            """Nothing is open."""

    def register_models() -> list[ag.ModelProvider]:
        return [ag.ModelProvider(name="acme", connect=Parrot)]

    _, registry = with_hooks(tmp_path, register_models=register_models)
    chat = open_chat_model(ag.ModelSpec(model="acme/polly"), registry.providers)
    asked = ag.CompletionRequest(messages=(ag.ChatMessage(role="user", content="hello"),))
    assert [chunk.text async for chunk in chat.stream(asked)] == ["polly heard hello", ""]


def test_provider_that_does_not_fit_disables_its_plugin(tmp_path: Path) -> None:
    def register_models() -> list[ag.ModelProvider]:
        return [ag.ModelProvider(name="Acme!", connect=lambda spec: None)]  # type: ignore[arg-type,return-value] # wrong on purpose

    plugin = SimpleNamespace(register_models=ag.hookimpl(register_models))
    plugins = load_plugins(tmp_path / "plugins", given={"tested": plugin})
    (error,) = build_registry(load_configuration(folder=tmp_path, environ={}), plugins).plugins[-1].errors
    assert "'Acme!' must be lowercase letters" in error


def test_hook_register_intents(tmp_path: Path) -> None:
    examples = tmp_path / "dance.jsonl"
    examples.write_text('{"text": "dance with me"}\n' * 8)

    def register_intents() -> list[ag.IntentDefinition]:
        return [ag.IntentDefinition(name="dance", summary="dance", examples=examples)]

    _, registry = with_hooks(tmp_path, register_intents=register_intents)
    assert registry.intents["dance"].summary == "dance"
    assert len(registry.examples["dance"]) == 8


def test_hook_register_knowledge(tmp_path: Path) -> None:
    def register_knowledge() -> list[ag.DocumentFolder]:
        return [ag.DocumentFolder(path=tmp_path, collection="pages")]

    _, registry = with_hooks(tmp_path, register_knowledge=register_knowledge)
    assert [(each.path, each.collection) for each in registry.folders] == [(tmp_path, "pages")]


def test_hook_register_settings(tmp_path: Path) -> None:
    (tmp_path / "agent-gateway.yaml").write_text("plugins: {tested: {low: 7}}")

    def register_settings() -> type[BaseModel]:
        return Limits

    _, registry = with_hooks(tmp_path, register_settings=register_settings)
    assert registry.settings["tested"] == Limits(low=7)


def test_hook_register_commands(tmp_path: Path) -> None:
    app = typer.Typer()

    @app.callback()
    def main() -> None:
        """Stand for the gateway's own commands."""

    def register_commands(app: typer.Typer) -> None:
        @app.command()
        def sing() -> None:
            typer.echo("la la la")

    plugins, _ = with_hooks(tmp_path, register_commands=register_commands)
    assert plugins.call("tested", "register_commands", app=app) == (None, "")
    assert CliRunner().invoke(app, ["sing"]).output == "la la la\n"


def test_hook_on_startup(tmp_path: Path) -> None:
    seen: list[dict[str, BaseModel]] = []

    def on_startup(settings: dict[str, BaseModel]) -> None:
        seen.append(settings)

    _, registry = with_hooks(tmp_path, on_startup=on_startup, register_settings=lambda: Limits)
    registry.startup()
    assert seen == [{"tested": Limits()}]


def test_hook_on_shutdown(tmp_path: Path) -> None:
    seen: list[str] = []

    def on_shutdown() -> None:
        seen.append("bye")

    _, registry = with_hooks(tmp_path, on_shutdown=on_shutdown)
    registry.shutdown()
    assert seen == ["bye"]


def test_hook_on_run_finished(tmp_path: Path) -> None:
    seen: list[ag.Run] = []

    def on_run_finished(run: ag.Run) -> None:
        seen.append(run)

    finished = ag.Run(
        id="r",
        conversation_id="c",
        persona="p",
        owner="local",
        message="m",
        status="completed",
        attempts=1,
        created_at="2026-01-01T00:00:00Z",
    )
    _, registry = with_hooks(tmp_path, on_run_finished=on_run_finished)
    registry.run_finished(finished)
    assert seen == [finished]
