"""`plugins new`: writes a plugin with one persona, from the templates in `data/new_plugin`."""

from __future__ import annotations

import os
import shutil
import tempfile
from importlib.resources import files
from pathlib import Path
from string import Template

from agent_gateway.cli.output import Output
from agent_gateway.cli.plugin_commands import open_registry
from agent_gateway.config import Configuration
from agent_gateway.errors import ConfigurationError, Conflict, InvalidInput, StorageFailed
from agent_gateway.plugins.discovery import BUILT_IN, PLUGIN_NAME

#: Template -> the file it becomes.
FILES = {
    "plugin.py.template": "agent_gateway_$name.py",
    "test.py.template": "test_agent_gateway_$name.py",
    "pyproject.toml.template": "pyproject.toml",
    "README.md.template": "README.md",
}
FIRST_PORT = 30_130


def write_plugin(name: str, folder: Path | None, configuration: Configuration, *, as_json: bool) -> None:
    """Write a new plugin into a folder of its name; `InvalidInput` for a bad name, `Conflict` for a taken one."""
    name = name.replace("-", "_")
    if not PLUGIN_NAME.fullmatch(name) or name == BUILT_IN:
        raise InvalidInput(
            f"'{name}' is no name for a plugin", hint="use lower-case letters, digits and underscores, a letter first"
        )
    target = (folder or configuration.settings.plugins_dir).absolute() / name
    port = free_port(configuration)
    dashed = name.replace("_", "-")
    values = {"name": name, "dashed": dashed, "persona": dashed, "title": title_of(name), "port": str(port)}
    written = write_files(target, values)
    output = Output(as_json=as_json)
    if as_json:
        output.document({"folder": target, "files": written, "persona": dashed, "port": port})
        return
    output.text(f"{target}: " + ", ".join(written))
    output.text(f"Test it with `pytest {target}`; restart the gateway, and {dashed} answers on port {port}.")


def write_files(target: Path, values: dict[str, str]) -> list[str]:
    """Fill in the templates; the folder appears whole or not at all."""
    if target.exists():
        raise Conflict(f"{target} exists already", code="plugin_exists", hint="choose another name, or remove it")
    templates = files("agent_gateway") / "data" / "new_plugin"
    names = [Template(name).substitute(values) for name in FILES.values()]
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".new-") as work:
            draft = Path(work, target.name)
            draft.mkdir()
            for template, name in zip(FILES, names, strict=True):
                text = (templates / template).read_text(encoding="utf-8")
                (draft / name).write_text(Template(text).substitute(values), encoding="utf-8")
            shutil.move(os.fspath(draft), target)
    except OSError as error:
        raise StorageFailed(f"{target} cannot be written: {error.strerror}", hint="choose another --dir") from error
    return names


def free_port(configuration: Configuration) -> int:
    """Find a port that no persona has; where the configuration is wrong, the first one that may be free."""
    try:
        registry = open_registry(configuration)
    except ConfigurationError:
        return FIRST_PORT
    taken = {each.persona.port for each in registry.served} | {configuration.settings.server.port}
    return next(port for port in range(FIRST_PORT, FIRST_PORT + len(taken) + 1) if port not in taken)


def title_of(name: str) -> str:
    """Make a title of a name."""
    return name.replace("_", " ").capitalize()
