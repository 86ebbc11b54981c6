from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.plugins.folder import build, drop, hook, infos, persona, served

from agent_gateway.errors import ConfigurationError

RING = """
async def ring(times: int = 1) -> str:
    "Ring the bell."
    return "ring " * times
"""


def ringing(expression: str = "ag.tool(ring)") -> str:
    return hook("register_tools", f"return [{expression}]", before=RING)


def test_a_plugin_adds_a_tool_that_a_persona_of_another_may_list(tmp_path: Path) -> None:
    drop(tmp_path, bell=ringing(), anna=persona("id='anna', title='A', prompt='A', port=1, tools=('ring',)"))
    registry = build(tmp_path)
    assert list(registry.tools) == ["knowledge_search", "ask_human", "ring"]
    assert infos(registry)["bell"].registered == ("tool ring",)
    assert served(registry) == {"anna": 1}


def test_the_built_in_intents_select_the_search(tmp_path: Path) -> None:
    selected = dict(build(tmp_path).tools_of_intents())
    assert selected.pop("chat") == ()
    assert set(selected.values()) == {("knowledge_search",)}


@pytest.mark.parametrize(
    ("expression", "error"),
    [
        ("ag.tool(ring), ag.tool(ring)", "tool 'ring' is registered twice"),
        ("ring", "must return a list of Tool, one item is function"),
        ("ag.tool(ring, name='read_more')", "tool 'read_more': this name is the gateway's own"),
        ("ag.tool(ring, name='knowledge_search')", "tool 'knowledge_search' is already registered by plugin 'builtin'"),
        ("ag.tool(ring, name='Ring!')", "'Ring!' is no name of a tool"),
        ("ag.tool(len)", "must be an async function with a docstring"),
        ("made(name='Ring!')", "its name must be lowercase"),
        ("made(description=' ')", "it must have a description"),
        ("made(run=len)", "its run must be an async function"),
        ("made(arguments=dict)", "its arguments must be a msgspec.Struct class"),
        ("made(parameters={})", "its parameters must be a JSON schema of type object"),
        ("made(effect='delete')", "its effect must be 'read', 'write' or a function"),
        ("made(timeout_seconds=0)", "its timeout and output limit must be positive"),
    ],
)
def test_a_tool_that_does_not_fit_disables_its_plugin_alone(tmp_path: Path, expression: str, error: str) -> None:
    made = "import msgspec\ndef made(**fields): return msgspec.structs.replace(ag.tool(ring), **fields)\n"
    drop(tmp_path, bell=hook("register_tools", f"return [{expression}]", before=RING + made))
    registry = build(tmp_path)
    assert error in infos(registry)["bell"].errors[0]
    assert list(registry.tools) == ["knowledge_search", "ask_human"]


def test_of_two_plugins_with_one_tool_the_later_is_disabled(tmp_path: Path) -> None:
    drop(tmp_path, one=ringing(), two=ringing())
    registry = build(tmp_path)
    assert infos(registry)["one"].errors == ()
    assert infos(registry)["two"].errors == ("tool 'ring' is already registered by plugin 'one'",)


def test_a_persona_that_lists_an_unknown_tool_is_the_fault_of_whoever_wrote_it(tmp_path: Path) -> None:
    drop(tmp_path, bell=ringing(), anna=persona("id='anna', title='A', prompt='A', port=1, tools=('rign',)"))
    assert infos(build(tmp_path))["anna"].errors == ("persona 'anna': there is no tool 'rign'; did you mean 'ring'?",)
    with pytest.raises(ConfigurationError) as raised:
        build(tmp_path, personas="personas: {anna: {tools: [ring, gong]}}")
    (fault,) = raised.value.faults
    assert (fault.key, fault.detail) == ("personas.anna.tools.1", "there is no tool 'gong'")


def test_who_needs_the_tool_of_a_plugin_that_fails_goes_with_it(tmp_path: Path) -> None:
    drop(
        tmp_path,
        bell=ringing() + "@ag.hookimpl\ndef register_settings(): raise OSError('no disk')\n",
        anna=persona("id='anna', title='A', prompt='A', port=1, tools=('ring',)"),
    )
    registry = build(tmp_path)
    assert served(registry) == {}
    assert "there is no tool 'ring'" in infos(registry)["anna"].errors[0]
