from __future__ import annotations

from pathlib import Path

import httpx
import msgspec
import pytest
from tests.unit.plugins.folder import hook, persona

import agent_gateway as ag
from agent_gateway.testing import ScriptedModel, StaticClassifier, StaticKnowledge, gateway_for, passage

ECHO = Path(__file__).parents[3] / "plugins" / "echo"
ANNA = ag.Persona(id="anna", port=30100, title="Anna", prompt="Be kind.", collections=("house",))
KNOWLEDGE = StaticKnowledge({"house": [passage("The workshop opens at nine.", source="hours.md")]})


async def test_a_persona_answers_from_the_given_knowledge() -> None:
    async with gateway_for(ANNA, knowledge=KNOWLEDGE) as gateway:
        answer = await gateway.ask("anna", "When does the workshop open?")
    assert answer.status == "completed"
    assert answer.response == "The workshop opens at nine. [1]"
    assert [citation.source for citation in answer.citations] == ["hours.md"]


async def test_conversations_are_real() -> None:
    model = ScriptedModel(["yes"])
    async with gateway_for(ANNA, model=model) as gateway:
        first = await gateway.ask("anna", "one")
        second = await gateway.ask("anna", "two", first.conversation_id)
        with pytest.raises(ag.GatewayError) as refused:
            await gateway.ask("anna", "three", "conv_" + 32 * "0")
    assert second.conversation_id == first.conversation_id
    assert [exchange.message for exchange in model.requests[1].history] == ["one"]
    assert refused.value.code == "conversation_not_found"


async def test_a_model_answers_in_place_of_the_floor() -> None:
    async with gateway_for(ANNA, model=ScriptedModel(["Hello, ", "world."])) as gateway:
        events = await gateway.stream("anna", "hi")
    words = [msgspec.json.decode(event.data)["text"] for event in events if event.type == "token"]
    assert "".join(words) == "Hello, world."
    assert (events[0].type, events[-1].type) == ("run_started", "done")
    assert [event.seq for event in events] == list(range(1, len(events) + 1))


async def test_a_failing_turn_is_an_answer_too() -> None:
    async with gateway_for(ANNA, model=ScriptedModel([ag.GatewayError("the oven is cold", code="cold")])) as gateway:
        answer = await gateway.ask("anna", "bake")
        events = await gateway.stream("anna", "bake")
    assert answer.status == "failed"
    assert answer.error is not None
    assert answer.error.code == "cold"
    assert events[-1].type == "error"


async def test_the_address_is_real_http() -> None:
    async with gateway_for(ANNA) as gateway, httpx.AsyncClient() as client:
        view = (await client.get(f"{gateway.url('anna')}/v1/persona")).json()
        with pytest.raises(ag.InvalidInput, match="'berta' is not served"):
            gateway.url("berta")
    assert (view["id"], view["title"], view["collections"]) == ("anna", "Anna", ["house"])


@pytest.mark.parametrize("named", [True, False])
async def test_a_plugins_folder_is_loaded_as_the_gateway_does(named: bool) -> None:
    async with gateway_for(*(["echo"] if named else []), plugins=[ECHO]) as gateway:
        answer = await gateway.ask("echo", "hello")
    assert answer.response == "hello"


async def test_a_plugins_file_is_loaded_too(tmp_path: Path) -> None:
    (tmp_path / "pip.py").write_text(persona("id='pip', port=30101, title='Pip', prompt='x'"))
    async with gateway_for(plugins=[tmp_path / "pip.py"], model=ScriptedModel(["pip"])) as gateway:
        answer = await gateway.ask("pip", "hello")
    assert answer.response == "pip"


async def test_only_the_personas_that_are_named_are_served() -> None:
    class Two:
        @ag.hookimpl
        def register_personas(self) -> list[ag.Persona]:
            return [ANNA, ag.Persona(id="bert", title="Bert", prompt="x")]

    async with gateway_for("bert", plugins=[Two()]) as gateway:
        assert gateway.url("bert")
        with pytest.raises(ag.InvalidInput):
            gateway.url("anna")


async def test_settings_reach_the_plugin(tmp_path: Path) -> None:
    source = (
        "from pydantic import BaseModel\nimport agent_gateway as ag\nclass S(BaseModel):\n    word: str\nheard = []\n"
        "@ag.hookimpl\ndef register_settings(): return S\n"
        "@ag.hookimpl\ndef on_startup(settings): heard.append(settings['loud'].word)\n"
        "async def act(state, context): return {'response': heard[0], 'citations': ()}\n"
        "@ag.hookimpl\ndef register_personas():\n"
        "    return [ag.Persona(id='loud', port=30102, title='L', prompt='x', stages={'act': act})]\n"
    )
    (tmp_path / "loud.py").write_text(source)
    settings = {"plugins": {"loud": {"word": "boom"}}}
    async with gateway_for(plugins=[tmp_path / "loud.py"], settings=settings) as gateway:
        answer = await gateway.ask("loud", "x")
    assert answer.response == "boom"


async def test_the_classifier_decides_the_intent() -> None:
    async with gateway_for(ANNA, classifier=StaticClassifier("chat", confidence=0.7)) as gateway:
        answer = await gateway.ask("anna", "hello")
    assert answer.intent is not None
    assert (answer.intent.category, answer.intent.confidence) == ("chat", 0.7)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("raise RuntimeError('at import')", "RuntimeError: at import"),
        (hook("register_persona", "return []"), "there is no hook 'register_persona'"),
        (persona("id='pip', port=8080, title='', prompt='x'"), "title"),
    ],
    ids=["import", "misspelt hook", "bad persona"],
)
async def test_a_fault_of_the_plugin_is_an_error_of_the_test(tmp_path: Path, source: str, message: str) -> None:
    (tmp_path / "pip.py").write_text(source)
    with pytest.raises(ag.GatewayError, match=message):
        async with gateway_for(plugins=[tmp_path / "pip.py"]):
            pass


async def test_a_gateway_with_nobody_in_it_is_refused() -> None:
    with pytest.raises(ag.InvalidInput, match="nobody is served"):
        async with gateway_for():
            pass


async def test_nothing_is_left_behind() -> None:
    async with gateway_for(ANNA) as gateway:
        data_dir = gateway.house.gateway.configuration.settings.data_dir
        assert (data_dir / "runs.sqlite3").exists()
    assert not data_dir.parent.exists()
