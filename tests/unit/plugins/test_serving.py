from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.plugins.folder import build, drop, hook, infos, persona, served

from agent_gateway.errors import ConfigurationError

PIRATE = persona("id='pirate', title='Pirate', prompt='Arr', port=30199")


def keys(folder: Path, personas: str, settings: str = "", **environ: str) -> dict[str, str]:
    with pytest.raises(ConfigurationError) as raised:
        build(folder, personas=personas, settings=settings, environ=environ)
    return {fault.key: fault.detail for fault in raised.value.faults}


def test_a_dropped_in_persona_with_its_own_port_is_served_without_an_entry(tmp_path: Path) -> None:
    drop(tmp_path, pirate=PIRATE)
    registry = build(tmp_path)
    assert served(registry) == {"pirate": 30199}
    assert not registry.served[0].listed
    assert infos(registry)["pirate"].registered == ("persona pirate",)


def test_only_listed_serves_nobody_else(tmp_path: Path) -> None:
    drop(tmp_path, pirate=PIRATE)
    registry = build(tmp_path, personas="only_listed: true")
    assert served(registry) == {}
    assert [(each.id, each.listed, each.reason) for each in registry.unserved] == [
        ("pirate", False, "personas.yaml says only_listed")
    ]


def test_a_persona_without_port_waits_for_an_entry(tmp_path: Path) -> None:
    drop(tmp_path, shy=persona("id='shy', title='Shy', prompt='Hm'"))
    assert served(build(tmp_path)) == {}
    assert served(build(tmp_path, personas="personas: {shy: {port: 7}}")) == {"shy": 7}
    assert keys(tmp_path, "personas: {shy: {}}") == {"personas.shy.port": "is required: its plugin names none"}


def test_a_persona_of_prompt_and_documents_needs_no_plugin(tmp_path: Path) -> None:
    (tmp_path / "handbook").mkdir()
    entry = "{port: 7, title: L, prompt: P, documents: {handbook: handbook-docs}}"
    registry = build(tmp_path, personas=f"personas: {{librarian: {entry}}}")
    (librarian,) = registry.served
    assert (librarian.plugin, librarian.listed) == ("", True)
    assert dict(librarian.persona.documents) == {str(tmp_path / "handbook"): "handbook-docs"}
    (folder,) = registry.folders
    assert (folder.label, folder.path, folder.collection, folder.personas) == (
        "handbook",
        tmp_path / "handbook",
        "handbook-docs",
        ("librarian",),
    )


def test_an_entry_overrides_field_by_field(tmp_path: Path) -> None:
    drop(tmp_path, pirate=persona("id='pirate', title='Pirate', prompt='Arr', port=5, tiers=('small',), tools=['t']"))
    entry = "{title: Captain, intents: [chat], tools: [], policy: {suggest_only: true}}"
    (pirate,) = build(tmp_path, personas=f"personas: {{pirate: {entry}}}").served
    assert (pirate.persona.title, pirate.persona.prompt, pirate.persona.port) == ("Captain", "Arr", 5)
    assert (pirate.persona.tiers, pirate.persona.intents, pirate.persona.tools) == (("small",), ("chat",), ())
    assert pirate.persona.policy.suggest_only


def test_folders_that_personas_share_are_one(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    drop(
        tmp_path, a=persona("id='a', title='A', prompt='A', port=1"), b=persona("id='b', title='B', prompt='B', port=2")
    )
    registry = build(tmp_path, personas="personas: {a: {documents: {docs: d}}, b: {documents: {./docs: d}}}")
    assert [(each.label, each.personas) for each in registry.folders] == [("docs", ("a", "b"))]


def test_a_plugin_s_folders_start_at_its_file(tmp_path: Path) -> None:
    source = persona("id='a', title='A', prompt='A', port=1, documents={'pages': 'a-docs'}")
    source += "\n@ag.hookimpl\ndef register_knowledge():\n    return [ag.DocumentFolder('pages', 'all-docs')]\n"
    drop(tmp_path, a=source)
    (tmp_path / "plugins" / "pages").mkdir()
    registry = build(tmp_path)
    pages = tmp_path / "plugins" / "pages"
    assert [(each.label, each.path, each.collection, each.personas) for each in registry.folders] == [
        ("a/pages", pages, "a-docs", ("a",)),
        ("a/pages", pages, "all-docs", ()),
    ]
    assert infos(registry)["a"].registered == ("persona a", "documents a/pages -> all-docs")


def test_every_fault_of_personas_yaml_is_listed_at_once(tmp_path: Path) -> None:
    drop(tmp_path, pirate=PIRATE, auditor=persona("id='auditor', title='A', prompt='A', port=30121"))
    found = keys(
        tmp_path,
        """
        personas:
          pirate: {intents: [chat, qurey], tools: [kubectl]}
          auditor: {}
          one: {port: 11, title: T, prompt: P, documents: {nowhere: docs}}
          two: {port: 11, title: T, prompt: P}
          three: {port: 8080, title: T, prompt: P}
          four: {port: 30121, title: T, prompt: P}
          nobody: {port: 12}
          wrong: {port: twelve, title: T, prompt: P}
        """,
        "plugins: {parrot: {a: 1}, pirate: {b: 1}}\nserver: {prot: 1}",
        AGENT_GATEWAY_PLUGINS="pirate,auditor,auditr",
    )
    assert found == {
        "personas.pirate.intents.1": "there is no intent 'qurey'",
        "personas.pirate.tools.0": "there is no tool 'kubectl'",
        "personas.one.documents.nowhere": f"the folder {tmp_path / 'nowhere'} does not exist",
        "personas.two.port": "is taken by persona 'one'",
        "personas.three.port": "is the gateway's own",
        "personas.four.port": "is taken by persona 'auditor'",
        "personas.nobody.title": "is required: no plugin registers this persona",
        "personas.nobody.prompt": "is required: no plugin registers this persona",
        "personas.wrong.port": "must be a whole number",
        "plugins.parrot": "is the name of no plugin",
        "plugins.pirate": "has no settings",
        "server.prot": "is not a known key",
        "AGENT_GATEWAY_PLUGINS": "there is no such plugin",
    }


BROKEN = {
    "import": "raise RuntimeError('boom')",
    "hook": hook("register_personas", "raise RuntimeError('boom')"),
    "misspelt": hook("register_persona", "return []"),
    "kind": hook("register_personas", "return ['bruno']"),
    "list": hook("register_personas", "return ag.Persona(id='x', title='T', prompt='P')"),
    "field": persona("id='mary-kay', title='', prompt='P', port='high', intents='chat'"),
    "none": persona("id='mary-kay', title=None, prompt='P'"),
    "id": persona("id='Mary Kay', title='T', prompt='P'"),
    "stage": persona("id='mary-kay', title='T', prompt='P', stages={'atc': print}"),
    "function": persona("id='mary-kay', title='T', prompt='P', stages={'act': 'print'}"),
    "tool": persona("id='mary-kay', title='T', prompt='P', port=9, tools=('kubectl',)"),
    "intent": persona("id='mary-kay', title='T', prompt='P', port=9, intents=('dance',)"),
    "documents": persona("id='mary-kay', title='T', prompt='P', port=9, documents={'nowhere': 'docs'}"),
    "gateway's port": persona("id='mary-kay', title='T', prompt='P', port=8080"),
    "port": persona("id='mary-kay', title='T', prompt='P', port=30199"),
    "duplicate": persona("id='pirate', title='T', prompt='P', port=9"),
    "twice": hook("register_personas", "return [ag.Persona(id='mary-kay', title='T', prompt='P', port=9)] * 2"),
    "knowledge": hook("register_knowledge", "return [ag.DocumentFolder('nowhere', 'docs')]"),
    "collection": hook("register_knowledge", "return [ag.DocumentFolder('.', 'agent-interactions')]"),
    "model": hook("register_settings", "return dict"),
}


@pytest.mark.parametrize("fault", list(BROKEN))
def test_a_fault_of_a_plugin_disables_it_alone(tmp_path: Path, fault: str) -> None:
    drop(tmp_path, good=PIRATE, mary_kay=BROKEN[fault])
    registry = build(tmp_path)
    assert served(registry) == {"pirate": 30199}
    assert infos(registry)["good"].enabled
    assert len(infos(registry)["mary_kay"].errors) == 1
    assert infos(registry)["mary_kay"].registered == ()


@pytest.mark.parametrize("fault", [each for each in BROKEN if each != "port"])
def test_a_listed_persona_of_a_broken_plugin_is_not_served_and_the_rest_is(tmp_path: Path, fault: str) -> None:
    drop(tmp_path, good=PIRATE, mary_kay=BROKEN[fault])
    complete = "{port: 7, title: T, prompt: P, tools: [], intents: [], documents: {}}"
    personas = f"personas: {{pirate: {{}}, mary-kay: {{}}, other: {complete}}}"
    registry = build(tmp_path, personas=personas)
    assert served(registry) == {"pirate": 30199, "other": 7}
    (absent,) = registry.unserved
    assert (absent.id, absent.listed) == ("mary-kay", True)
    assert absent.reason.startswith("its plugin 'mary_kay' is disabled: ")


def test_a_listed_persona_that_a_broken_plugin_may_have_is_excused(tmp_path: Path) -> None:
    drop(tmp_path, team="raise RuntimeError")
    registry = build(tmp_path, personas="personas: {anna: {port: 7}}")
    assert registry.unserved[0].reason == "no plugin registers it; these could not be asked: team"


def test_a_complete_entry_does_not_stand_in_for_its_broken_plugin(tmp_path: Path) -> None:
    drop(tmp_path, mary_kay="raise RuntimeError")  # which would have said collections_only
    assert served(build(tmp_path, personas="personas: {mary-kay: {port: 7, title: T, prompt: P}}")) == {}


def test_a_plugin_that_is_left_out_takes_its_listed_persona_along(tmp_path: Path) -> None:
    drop(tmp_path, pirate=PIRATE)
    registry = build(tmp_path, personas="personas: {pirate: {}}", environ={"AGENT_GATEWAY_PLUGINS": ""})
    assert registry.unserved[0].reason == "its plugin 'pirate' is not among AGENT_GATEWAY_PLUGINS"


def test_a_listed_persona_has_its_port_before_one_that_was_dropped_in(tmp_path: Path) -> None:
    drop(tmp_path, aaa=persona("id='aaa', title='T', prompt='P', port=30199"), pirate=PIRATE)
    registry = build(tmp_path, personas="personas: {pirate: {}}")
    assert served(registry) == {"pirate": 30199}
    assert infos(registry)["aaa"].errors == ("persona 'aaa': port 30199 is taken by persona 'pirate'",)


def test_what_a_disabled_plugin_had_claimed_is_free_for_others(tmp_path: Path) -> None:
    claims = persona("id='aaa', title='T', prompt='P', port=30199, intents=('nothing',)")
    drop(tmp_path, aaa=claims, pirate=PIRATE)
    assert served(build(tmp_path)) == {"pirate": 30199}


def test_a_persona_that_needs_an_intent_goes_with_the_plugin_that_has_it(tmp_path: Path) -> None:
    intent = hook(
        "register_intents", "return [ag.IntentDefinition(name='dance', summary='dance', examples='none.jsonl')]"
    )
    drop(
        tmp_path,
        a_intent=intent,
        needs=persona("id='n', title='T', prompt='P', port=9, intents=('dance',)"),
        good=PIRATE,
    )
    registry = build(tmp_path)
    assert served(registry) == {"pirate": 30199}
    assert "there is no intent 'dance'" in infos(registry)["needs"].errors[0]


def test_the_gateway_may_take_any_free_port_in_tests(tmp_path: Path) -> None:
    drop(tmp_path, pirate=PIRATE)
    assert served(build(tmp_path, settings="server: {port: 0}")) == {"pirate": 30199}
