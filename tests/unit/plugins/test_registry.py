from __future__ import annotations

from pathlib import Path

import pytest
import structlog
from structlog.testing import LogCapture
from structlog.typing import EventDict
from tests.unit.plugins.folder import build, drop, hook, infos, persona, served

from agent_gateway.config import Settings
from agent_gateway.errors import ConfigurationError
from agent_gateway.messages import Run
from agent_gateway.registry import Registry

SETTINGS = """
from pydantic import BaseModel, field_validator
class Limits(BaseModel):
    low: int = 0
class Weather(BaseModel):
    city: str {default}
    limits: Limits = Limits()
    token: str = ""
    @field_validator("token")
    @classmethod
    def check(cls, value):
        if value and not value.startswith("t-"):
            raise ValueError(f"bad token {{value}}")
        return value
"""
RUN = Run(
    id="r", conversation_id="c", persona="p", owner="local", message="m", status="completed", attempts=1, created_at="t"
)


@pytest.fixture
def logs(monkeypatch: pytest.MonkeyPatch) -> list[EventDict]:
    """What the registry logs, however logging was configured before."""
    capture = LogCapture()
    monkeypatch.setattr("agent_gateway.registry.registry.log", structlog.wrap_logger(None, processors=[capture]))
    return capture.entries


def weather(default: str = "= 'Porto'") -> str:
    return hook("register_settings", "return Weather", before=SETTINGS.format(default=default))


def examples(count: int = 8, line: str = '{"text": "dance with me"}') -> str:
    return "\n".join([line] * count)


def intents(folder: Path, text: str, **fields: str) -> tuple[str, ...]:
    more = ", ".join(f"{name}={value}" for name, value in {"name": "'dance'", "summary": "'dance'", **fields}.items())
    source = f"return [ag.IntentDefinition({more}, examples='dance.jsonl')]"
    drop(folder, dance=hook("register_intents", source))
    (folder / "plugins" / "dance.jsonl").write_text(text)
    return infos(build(folder))["dance"].errors


def team(folder: Path) -> Registry:
    drop(
        folder,
        bruno=persona("id='bruno', title='B', prompt='B', port=1, collections=('homelab-docs', 'agent-interactions')"),
        jamie=persona("id='jamie', title='J', prompt='J', port=2, collections=('ml-workflows', 'homelab-docs')"),
        mary_kay=persona("id='mary-kay', title='M', prompt='M', port=3, collections=('faq',), collections_only=True"),
        plain=persona("id='plain', title='P', prompt='P', port=4"),
        hidden=persona("id='hidden', title='H', prompt='H', collections=('private',)"),
        zbroken=persona("id='zbroken', title='H', prompt='H', port=4, collections=('lost',)"),
    )
    return build(folder)


def test_the_built_in_intents_are_registered_with_their_examples(tmp_path: Path) -> None:
    registry = build(tmp_path)
    assert list(registry.intents) == ["deploy", "query", "troubleshoot", "analyze", "train", "chat"]
    assert all(len(found) >= 60 for found in registry.examples.values())
    assert all(not intent.summary.endswith(".") for intent in registry.intents.values())


@pytest.mark.parametrize(
    ("persona_id", "intent", "expected"),
    [
        ("bruno", "query", ("homelab-docs", "mine")),
        ("bruno", "train", ("homelab-docs", "mine")),
        ("jamie", "train", ("ml-workflows", "mine")),
        ("jamie", "deploy", ("homelab-docs", "mine")),
        ("jamie", "unheard-of", ("ml-workflows", "homelab-docs", "mine")),
        ("mary-kay", "query", ("faq",)),
        ("plain", "query", ("mine",)),
    ],
)
def test_an_intent_searches_its_collections_as_far_as_they_are_the_persona_s(
    tmp_path: Path, persona_id: str, intent: str, expected: tuple[str, ...]
) -> None:
    registry = team(tmp_path)
    existing = ["agent-interactions", "faq", "homelab-docs", "lost", "mine", "ml-workflows", "private"]
    (chosen,) = (each.persona for each in registry.served if each.persona.id == persona_id)
    assert registry.collections_for(chosen, intent, existing) == expected


def test_a_persona_sees_its_own_collections_and_those_that_are_nobody_s(tmp_path: Path) -> None:
    registry = team(tmp_path)
    visible = {
        each.persona.id: registry.visible_collections(each.persona, ["mine", "faq", "agent-interactions"])
        for each in registry.served
    }
    assert visible == {
        "bruno": ("homelab-docs", "mine"),
        "jamie": ("ml-workflows", "homelab-docs", "mine"),
        "mary-kay": ("faq",),
        "plain": ("mine",),
    }


def test_abilities_are_the_summaries_of_the_persona_s_intents(tmp_path: Path) -> None:
    drop(tmp_path, a=persona("id='a', title='A', prompt='A', port=1, intents=('chat', 'query')"))
    registry = build(tmp_path)
    (a,) = registry.served
    assert registry.abilities_of(a.persona) == (registry.intents["chat"].summary, registry.intents["query"].summary)


def test_a_plugin_adds_an_intent(tmp_path: Path) -> None:
    assert intents(tmp_path, examples()) == ()
    registry = build(tmp_path)
    assert registry.intents["dance"].examples == tmp_path / "plugins" / "dance.jsonl"
    assert infos(registry)["dance"].registered == ("intent dance",)


@pytest.mark.parametrize(
    ("text", "fields", "error"),
    [
        (examples(7), {}, "dance.jsonl has 7 examples, an intent needs 8 or more"),
        (examples() + "\n{", {}, "dance.jsonl, line 9"),
        (examples() + '\n{"text": 5}', {}, "Expected `str`"),
        (examples() + '\n{"txt": "x"}', {}, "txt"),
        (examples() + '\n{"text": " "}', {}, "text must not be empty"),
        (examples() + '\n{"text": "x", "reasoning_depth": 4}', {}, "reasoning_depth is 0 to 3"),
        (examples(), {"name": "'chat'"}, "intent 'chat' is already registered by plugin 'builtin'"),
        (examples(), {"name": "'Dance!'"}, "its name must be"),
        (examples(), {"name": "5"}, "Expected `str`"),
        (examples(), {"summary": "''"}, "its summary must complete"),
        (examples(), {"tools": "('kubectl',)"}, "there is no tool 'kubectl'"),
        (examples(), {"collections": "('A b',)"}, "is no name of a collection"),
    ],
)
def test_an_intent_that_cannot_be_learned_disables_its_plugin(
    tmp_path: Path, text: str, fields: dict[str, str], error: str
) -> None:
    (found,) = intents(tmp_path, text, **fields)
    assert error in found


def test_unreadable_examples_disable_the_plugin(tmp_path: Path) -> None:
    drop(tmp_path, dance=hook("register_intents", "return [ag.IntentDefinition(name='d', summary='d', examples='no')]"))
    assert "the examples cannot be read" in infos(build(tmp_path))["dance"].errors[0]


def test_a_plugin_s_settings_are_validated_by_its_model(tmp_path: Path) -> None:
    drop(tmp_path, weather=weather())
    environ = {"AGENT_GATEWAY__PLUGINS__WEATHER__LIMITS__LOW": "5"}
    registry = build(tmp_path, settings="plugins: {weather: {city: Faro}}", environ=environ)
    assert registry.settings["weather"].model_dump() == {"city": "Faro", "limits": {"low": 5}, "token": ""}
    assert infos(registry)["weather"].registered == ("settings",)


def test_wrong_plugin_settings_are_faults_without_their_secrets(tmp_path: Path) -> None:
    drop(tmp_path, weather=weather())
    settings = "plugins: {weather: {ctiy: Faro, limits: {low: x, hihg: 1}, token: hunter2}}"
    with pytest.raises(ConfigurationError) as raised:
        build(tmp_path, settings=settings)
    found = {fault.key: fault for fault in raised.value.faults}
    assert set(found) == {f"plugins.weather.{key}" for key in ("ctiy", "limits.low", "limits.hihg", "token")}
    assert found["plugins.weather.ctiy"].hint == "did you mean 'city'?"
    assert "hunter2" not in str(raised.value)


def test_a_plugin_that_requires_settings_is_disabled_while_none_are_written(tmp_path: Path) -> None:
    drop(tmp_path, weather=weather(default=""))
    assert infos(build(tmp_path))["weather"].errors == ("it needs settings: plugins.weather.city is required",)
    with pytest.raises(ConfigurationError, match=r"plugins.weather.city: is required"):
        build(tmp_path, settings="plugins: {weather: {token: t-1}}")


def test_settings_of_a_broken_plugin_are_not_judged(tmp_path: Path) -> None:
    drop(tmp_path, weather="raise RuntimeError")
    assert not infos(build(tmp_path, settings="plugins: {weather: {city: Faro}}"))["weather"].enabled


def test_startup_hands_each_plugin_its_own_settings(tmp_path: Path) -> None:
    body = "assert list(settings) == ['weather'] and settings['weather'].city == 'Faro'"
    source = weather() + f"@ag.hookimpl\ndef on_startup(settings):\n    {body}\n"
    drop(tmp_path, weather=source, other=hook("on_startup", "assert settings == {}", arguments="settings"))
    registry = build(tmp_path, settings="plugins: {weather: {city: Faro}}")
    started = registry.startup()
    assert started.unserved == ()
    assert [info.errors for info in started.plugins] == [(), (), ()]


def test_a_plugin_that_fails_to_start_takes_only_its_personas_out(tmp_path: Path, logs: list[EventDict]) -> None:
    bad = persona("id='bad', title='B', prompt='B', port=1")
    drop(
        tmp_path,
        bad=bad + "@ag.hookimpl\ndef on_startup(): raise OSError('no disk')\n",
        good=persona("id='good', title='G', prompt='G', port=2"),
    )
    registry = build(tmp_path)
    started = registry.startup()
    assert served(started) == {"good": 2}
    assert [(each.id, each.listed) for each in started.unserved] == [("bad", False)]
    assert "no disk" in infos(started)["bad"].errors[0]
    assert [(each["event"], each["plugin"]) for each in logs] == [("plugin_disabled", "bad")]


def test_errors_after_a_run_and_at_shutdown_are_logged_and_stop_nobody(tmp_path: Path, logs: list[EventDict]) -> None:
    told = tmp_path / "told"
    write = f"with open({str(told)!r}, 'a') as file: file.write("
    drop(
        tmp_path,
        bad=hook("on_run_finished", "raise OSError") + "@ag.hookimpl\ndef on_shutdown(): raise OSError\n",
        good=hook("on_run_finished", f"{write}run.id)", arguments="run")
        + f"@ag.hookimpl\ndef on_shutdown():\n    {write}'bye')\n",
    )
    registry = build(tmp_path)
    registry.run_finished(RUN)
    registry.shutdown()
    assert told.read_text() == "rbye"
    assert [(each["event"], each["hook"]) for each in logs] == [
        ("hook_failed", "on_run_finished"),
        ("hook_failed", "on_shutdown"),
    ]
    assert infos(registry)["bad"].enabled


def test_a_registry_needs_no_files_at_all(tmp_path: Path) -> None:
    registry = build(tmp_path)
    assert (registry.served, registry.unserved, registry.folders) == ((), (), ())
    assert Settings().plugins == {}
