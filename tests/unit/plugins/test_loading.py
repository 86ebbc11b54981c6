from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

import agent_gateway as ag
from agent_gateway.plugins import PluginInfo, load_plugins

ECHO = """
import agent_gateway as ag
__version__ = "1.2"

@ag.hookimpl
def register_personas():
    return [ag.Persona(id="{id}", title="T", prompt="P", port={port})]
"""


def load(folder: Path, **sources: str) -> dict[str, PluginInfo]:
    for name, source in sources.items():
        (folder / f"{name}.py").write_text(source)
    return {info.name: info for info in load_plugins(folder).information()}


def install(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, source: str, version: str = "3.0") -> None:
    module = f"agent_gateway_{name}"
    (folder / f"{module}.py").write_text(source)
    info = folder / f"{module}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: {version}\n")
    (info / "entry_points.txt").write_text(f"[agent_gateway]\n{name.replace('_', '-')} = {module}\n")
    monkeypatch.syspath_prepend(str(folder))


def test_a_file_a_folder_with_a_module_and_one_with_a_package_are_found(tmp_path: Path) -> None:
    (tmp_path / "module").mkdir()
    (tmp_path / "module" / "agent_gateway_module.py").write_text(ECHO.format(id="m", port=1))
    (tmp_path / "module" / "pyproject.toml").write_text('[project]\nversion = "0.5"\n')
    package = tmp_path / "package" / "agent_gateway_package"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(f"from .part import NAME\n{ECHO.format(id='p', port=2)}")
    (package / "part.py").write_text("NAME = 'part'\n")
    found = load(tmp_path, single=ECHO.format(id="s", port=3))
    assert {name: (info.version, info.errors) for name, info in found.items() if name != "builtin"} == {
        "module": ("0.5", ()),
        "package": ("1.2", ()),
        "single": ("1.2", ()),
    }
    assert found["single"].source == str(tmp_path / "single.py")
    assert found["single"].hooks == ("register_personas",)
    assert found["builtin"].source == "built-in"


def test_a_missing_plugins_folder_leaves_the_built_in_plugin(tmp_path: Path) -> None:
    assert load_plugins(tmp_path / "none").names == ("builtin",)


def test_files_that_are_no_plugins_are_passed_over(tmp_path: Path) -> None:
    for name in ("_draft.py", ".hidden.py", "test_x.py", "conftest.py", "notes.md"):
        (tmp_path / name).write_text("raise RuntimeError\n")
    (tmp_path / "__pycache__").mkdir()
    assert load_plugins(tmp_path).names == ("builtin",)


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("raise RuntimeError('boom')", "RuntimeError: boom (broken.py, line 1)"),
        ("def f(:\n", "SyntaxError: invalid syntax (broken.py, line 1)"),
        ("import sys\nsys.exit(3)", "SystemExit: 3 (broken.py, line 2)"),
        ("import there_is_no_such_module", "No module named 'there_is_no_such_module' (broken.py, line 1)"),
        ("from agent_gateway import Nothing", "cannot import name 'Nothing'"),
        ("class E(Exception):\n    def __str__(self): raise ValueError\nraise E", "<exception str() failed>"),
        ("x = 1", "it implements no hook"),
        (
            "import agent_gateway as ag\n@ag.hookimpl\ndef register_persona(): return []",
            "did you mean 'register_personas'?",
        ),
        ("import agent_gateway as ag\n@ag.hookimpl\ndef on_run_finished(runn): pass", "Argument(s) {'runn'}"),
        ("import agent_gateway as ag\n@ag.hookimpl\nasync def on_shutdown(): pass", "on_shutdown must not be async"),
        ("import agent_gateway as ag\n@ag.hookimpl(wrapper=True)\ndef on_shutdown(): yield", "must not be a wrapper"),
        ("x = '\0'", "SyntaxError: source code string cannot contain null bytes"),
        ("1 / 0", "ZeroDivisionError"),
        ("def f(): f()\nf()", "RecursionError"),
    ],
)
def test_a_broken_plugin_disables_only_itself(tmp_path: Path, source: str, error: str) -> None:
    found = load(tmp_path, broken=source, fine=ECHO.format(id="fine", port=1))
    assert error in " ".join(found["broken"].errors)
    assert not found["broken"].enabled
    assert found["fine"].enabled


def test_an_interrupt_by_the_user_is_not_swallowed(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        load(tmp_path, impatient="raise KeyboardInterrupt")


def test_every_misspelt_hook_of_a_plugin_is_named(tmp_path: Path) -> None:
    source = "import agent_gateway as ag\n@ag.hookimpl\ndef register_tool(): pass\n@ag.hookimpl\ndef on_start(): pass\n"
    errors = load(tmp_path, two=source)["two"].errors
    assert len(errors) == 2
    assert "there is no hook 'on_start'; did you mean 'on_startup'?" in errors


@pytest.mark.parametrize("name", ["My_Plugin", "2fast", "dash-ed"])
def test_a_badly_named_plugin_is_shown_as_such(tmp_path: Path, name: str) -> None:
    info = load(tmp_path, **{name: ECHO.format(id="x", port=1)})[name]
    assert "no name for a plugin" in info.errors[0]


def test_a_folder_without_its_module_is_shown_as_such(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert load(tmp_path)["empty"].errors == ("there is no agent_gateway_empty.py in it",)


def test_entry_points_are_found_and_the_plugins_folder_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site, folder = tmp_path / "site", tmp_path / "plugins"
    site.mkdir()
    folder.mkdir()
    install(site, monkeypatch, "both_ways", ECHO.format(id="installed", port=1))
    alone = load(folder)["both_ways"]
    assert (alone.version, alone.source, alone.errors) == ("3.0", "entry point agent_gateway_both_ways", ())
    dropped = load(folder, both_ways=ECHO.format(id="dropped", port=1))["both_ways"]
    assert (dropped.version, dropped.source) == ("1.2", str(folder / "both_ways.py"))
    assert "also found in entry point agent_gateway_both_ways" in dropped.notes[0]
    sys.modules.pop("agent_gateway_both_ways", None)


def test_a_folder_wins_over_a_file_of_the_same_name(tmp_path: Path) -> None:
    (tmp_path / "twin").mkdir()
    (tmp_path / "twin" / "agent_gateway_twin.py").write_text(ECHO.format(id="x", port=1))
    info = load(tmp_path, twin="raise RuntimeError")["twin"]
    assert info.enabled
    assert "twin.py" in info.notes[0]


def test_only_the_chosen_plugins_are_imported(tmp_path: Path) -> None:
    (tmp_path / "chosen.py").write_text(ECHO.format(id="x", port=1))
    (tmp_path / "other.py").write_text("raise RuntimeError")
    plugins = load_plugins(tmp_path, only={"chosen"})
    assert plugins.names == ("builtin", "chosen")
    assert plugins.left_out == {"other"}
    assert load_plugins(tmp_path, only=()).names == ("builtin",)


def test_two_loads_share_nothing_and_leave_nothing_behind(tmp_path: Path) -> None:
    before = set(sys.modules)
    source = tmp_path / "counter.py"
    source.write_text(ECHO.format(id="x", port=1))
    first = load_plugins(tmp_path)
    source.write_text(ECHO.format(id="x", port=2))  # the same size, within the same second
    second = load_plugins(tmp_path)
    ports = [plugins.call("counter", "register_personas")[0][0].port for plugins in (first, second)]
    assert ports == [1, 2]
    first.close()
    second.close()
    (tmp_path / "counter.py").write_text("import sys\nraise RuntimeError")
    load_plugins(tmp_path)
    assert not [name for name in set(sys.modules) - before if "counter" in name]


def test_a_plugin_can_be_handed_over_as_an_object(tmp_path: Path) -> None:
    @ag.hookimpl
    def register_personas() -> list[ag.Persona]:
        return [ag.Persona(id="given", title="T", prompt="P")]

    plugins = load_plugins(tmp_path, given={"mine": SimpleNamespace(register_personas=register_personas)})
    result, error = plugins.call("mine", "register_personas")
    assert (result[0].id, error) == ("given", "")


def test_a_rejected_plugin_is_not_called_again(tmp_path: Path) -> None:
    (tmp_path / "x.py").write_text(ECHO.format(id="x", port=1))
    plugins = load_plugins(tmp_path)
    plugins.reject("x", "too loud")
    assert plugins.call("x", "register_personas") == (None, "")
    assert plugins.broken == ("x",)


def test_an_error_in_a_hook_is_told_with_its_place(tmp_path: Path) -> None:
    source = "import agent_gateway as ag\n@ag.hookimpl\ndef on_shutdown():\n    raise OSError('no disk')\n"
    (tmp_path / "x.py").write_text(source)
    assert load_plugins(tmp_path).call("x", "on_shutdown") == (None, "on_shutdown: OSError: no disk (x.py, line 4)")
