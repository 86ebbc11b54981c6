"""The plugins of this repository, personas.yaml, and the plugins shown in the documentation keep the contract."""

from __future__ import annotations

import ast
import re
import tomllib
import zipfile
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

import agent_gateway as ag
from agent_gateway.config import Configuration, Settings, load_configuration
from agent_gateway.plugins import Plugins, load_plugins
from agent_gateway.registry import build_registry

ROOT = Path(__file__).parents[2]
FOLDERS = sorted(path for path in (ROOT / "plugins").iterdir() if (path / "pyproject.toml").is_file())
PORTS = {"bruno": 30120, "auditor": 30121, "jamie": 30122, "mary-kay": 30127, "echo": 30107}

PERSONAS = {"auditor", "bruno", "echo", "jamie", "mary_kay"}
TOOLS = {"flux", "gitops", "kubernetes", "mcp", "observability"}
#: Its tools are those that somebody has accepted.
WITHOUT_TOOLS = {"mcp"}

names = pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)


def repository() -> Configuration:
    return load_configuration(folder=ROOT, environ={})


def imports(path: Path) -> set[str]:
    """The top-level and dotted names a file imports, at any depth."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module)
    return found


def test_the_plugins_are_there() -> None:
    assert {folder.name for folder in FOLDERS} == {*PERSONAS, *TOOLS}


@names
def test_each_plugin_loads_without_errors_and_is_listed(folder: Path) -> None:
    registry = build_registry(repository())
    (info,) = (info for info in registry.plugins if info.name == folder.name)
    assert (info.errors, info.notes, info.version, info.source) == ((), (), "0.1.0", str(folder))
    if folder.name in PERSONAS:
        assert info.registered == (f"persona {folder.name.replace('_', '-')}",)
    else:
        assert any(each.startswith("tool ") for each in info.registered) is (folder.name not in WITHOUT_TOOLS)


@names
def test_each_plugin_imports_the_root_alone(folder: Path) -> None:
    for path in folder.rglob("*.py"):
        allowed = {"agent_gateway", "agent_gateway.testing"} if path.name.startswith("test_") else {"agent_gateway"}
        ours = {name for name in imports(path) if name.split(".")[0].startswith("agent_gateway")}
        assert ours <= allowed, path


@names
def test_each_plugin_can_be_installed_as_well(folder: Path, tmp_path: Path) -> None:
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["entry-points"]["agent_gateway"] == {folder.name: f"agent_gateway_{folder.name}"}
    assert project["dependencies"][0] == "agent-gateway"
    assert len(project["dependencies"]) == 1 or folder.name in TOOLS
    (wheel,) = WheelBuilder(str(folder)).build(directory=str(tmp_path), versions=["standard"])
    with zipfile.ZipFile(wheel) as archive:
        module = f"agent_gateway_{folder.name}"
        assert {f"{module}.py", f"{module}/__init__.py"} & set(archive.namelist())
    assert (folder / "README.md").read_text(encoding="utf-8").startswith("# ")


def test_personas_yaml_serves_the_four_and_echo_is_dropped_in() -> None:
    registry = build_registry(repository())
    assert {each.persona.id: each.persona.port for each in registry.served} == PORTS
    assert {each.persona.id for each in registry.served if not each.listed} == {"echo"}
    assert registry.unserved == ()


def test_the_example_documents_go_to_their_collections() -> None:
    homelab = ROOT / "examples" / "homelab"
    assert [(each.path, each.collection, each.personas) for each in build_registry(repository()).folders] == [
        (homelab / "docs", "homelab-docs", ("bruno", "auditor")),
        (homelab / "ml", "ml-workflows", ("jamie",)),
        (homelab / "customer", "customer-docs", ("mary-kay",)),
    ]


@pytest.mark.parametrize(
    ("persona_id", "intents", "visible"),
    [
        ("bruno", 6, {"homelab-docs", "ml-workflows", "mine"}),
        ("auditor", 5, {"homelab-docs", "mine"}),
        ("jamie", 4, {"homelab-docs", "ml-workflows", "mine"}),
        ("mary-kay", 2, {"customer-docs"}),
    ],
)
def test_each_persona_sees_what_it_should(persona_id: str, intents: int, visible: set[str]) -> None:
    registry = build_registry(repository())
    (persona,) = (each.persona for each in registry.served if each.persona.id == persona_id)
    existing = ("customer-docs", "homelab-docs", "mine", "ml-workflows")
    assert len(registry.intents_of(persona)) == intents
    assert set(registry.visible_collections(persona, existing)) & set(existing) == visible
    assert set(registry.collections_for(persona, "query", existing)) <= set(
        registry.visible_collections(persona, existing)
    )


def test_a_persona_that_is_not_listed_any_more_keeps_its_documents_to_itself(tmp_path: Path) -> None:
    plugins = tmp_path / "plugins"
    plugins.symlink_to(ROOT / "plugins")
    registry = build_registry(load_configuration(folder=tmp_path, environ={}))
    for each in registry.served:
        if each.persona.id != "mary-kay":
            assert "customer-docs" not in registry.visible_collections(each.persona, ("customer-docs",))


BROKEN = {
    "at_import": "raise RuntimeError('boom')",
    "at_hook": "@ag.hookimpl\ndef register_personas():\n    raise RuntimeError('boom')",
    "misspelt": "@ag.hookimpl\ndef register_persona():\n    return []",
    "greedy": "@ag.hookimpl\ndef register_personas():\n"
    "    return [ag.Persona(id='greedy', title='G', prompt='G', port=30121)]",
    "impostor": "@ag.hookimpl\ndef register_personas():\n"
    "    return [ag.Persona(id='bruno', title='B', prompt='B', port=30190)]",
}


def test_broken_plugins_beside_them_harm_nobody(tmp_path: Path) -> None:
    (tmp_path / "plugins").mkdir()
    for folder in FOLDERS:
        (tmp_path / "plugins" / folder.name).symlink_to(folder)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    (tmp_path / "personas.yaml").write_bytes((ROOT / "personas.yaml").read_bytes())
    for name, source in BROKEN.items():
        (tmp_path / "plugins" / f"{name}.py").write_text(f"import agent_gateway as ag\n{source}\n")
    registry = build_registry(load_configuration(folder=tmp_path, environ={}))
    assert {each.persona.id: each.persona.port for each in registry.served} == PORTS
    assert {info.name for info in registry.plugins if info.errors} == set(BROKEN)


def test_echo_is_twelve_lines_of_code() -> None:
    source = (ROOT / "plugins" / "echo" / "agent_gateway_echo.py").read_text(encoding="utf-8")
    assert len([line for line in source.splitlines() if line.strip()]) <= 12


async def test_echo_says_what_it_heard() -> None:
    registry = build_registry(repository())
    (echo,) = (each.persona for each in registry.served if each.persona.id == "echo")
    said: list[object] = []

    class Listener:
        async def emit(self, data: object) -> None:
            said.append(data)

    update = await echo.stages["act"]({"message": "hello"}, Listener())
    assert said == [ag.Token(text="hello")]
    assert update == {"response": "hello", "citations": ()}


def shown(name: str) -> dict[str, str]:
    """The files a page shows: a line naming the file, then a block with its content."""
    page = (ROOT / "docs" / name).read_text(encoding="utf-8")
    return dict(re.findall(r"^`([\w./-]+)`:\n\n```\w+\n(.*?)^```", page, re.MULTILINE | re.DOTALL))


def test_the_plugins_of_the_tutorial_work_as_they_are_shown(tmp_path: Path) -> None:
    files = shown("plugins.md")
    assert {name for name in files if name.endswith(".py")} == {
        "plugins/pirate.py",
        "plugins/parrot.py",
        "plugins/library/agent_gateway_library.py",
    }
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content, encoding="utf-8")
    registry = build_registry(load_configuration(folder=tmp_path, environ={})).startup()
    assert {info.name: info.errors for info in registry.plugins} == {
        "builtin": (),
        "library": (),
        "parrot": (),
        "pirate": (),
    }
    assert {each.persona.id for each in registry.served} == {"pirate", "parrot", "librarian"}
    assert [(each.label, each.collection) for each in registry.folders] == [("library/rules", "library-docs")]
    assert registry.settings["library"].model_dump() == {"opening_hour": 9}


def test_the_documentation_lists_every_setting_with_its_default() -> None:
    def leaves(value: object, key: str) -> dict[str, str]:
        if not isinstance(value, dict) or not value:
            return {key: written(value)}
        parts = [leaves(below, f"{key}.{name}" if key else name) for name, below in value.items()]
        return {name: text for part in parts for name, text in part.items()}

    def written(value: object) -> str:
        if isinstance(value, list):
            return f"[{', '.join(map(written, value))}]"
        return str(value).lower() if isinstance(value, bool) else str(value)

    page = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `([a-z_.]+)` \| `([^`]*)` \|", page, re.MULTILINE))
    assert rows == leaves(Settings().model_dump(mode="json"), "")


def test_loading_the_repository_twice_gives_two_separate_sets() -> None:
    first, second = (load_plugins(ROOT / "plugins") for _ in range(2))
    for plugins in (first, second):
        assert isinstance(plugins, Plugins)
        assert plugins.broken == ()
    assert (
        first.call("echo", "register_personas")[0][0].stages["act"]
        is not (second.call("echo", "register_personas")[0][0].stages["act"])
    )
    first.close()
    second.close()


def test_the_root_has_a_version_and_exactly_the_names_it_promises() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", ag.__version__)
    assert sorted(ag.__all__) == sorted(set(ag.__all__))
    assert all(hasattr(ag, name) for name in ag.__all__)
    assert not hasattr(ag, "Personna")
