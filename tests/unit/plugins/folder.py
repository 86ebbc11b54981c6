"""Writes dropped-in plugins and builds a registry from them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent, indent

from agent_gateway.config import read_configuration
from agent_gateway.plugins import PluginInfo, Plugins
from agent_gateway.registry import Registry, build_registry


def persona(fields: str, *, before: str = "") -> str:
    """The source of a plugin with one persona."""
    return hook("register_personas", f"return [ag.Persona({fields})]", before=before)


def hook(name: str, body: str, *, arguments: str = "", before: str = "") -> str:
    """The source of a plugin with one hook."""
    body = indent(dedent(body), "    ")
    return f"import agent_gateway as ag\n{before}\n@ag.hookimpl\ndef {name}({arguments}):\n{body}\n"


def drop(folder: Path, **sources: str) -> None:
    """Put plugins into the plugins folder of a working folder."""
    (folder / "plugins").mkdir(exist_ok=True)
    for name, source in sources.items():
        (folder / "plugins" / f"{name}.py").write_text(source)


def build(
    folder: Path,
    *,
    personas: str = "",
    settings: str = "",
    environ: Mapping[str, str] | None = None,
    plugins: Plugins | None = None,
) -> Registry:
    """Build the registry of a working folder."""
    (folder / "personas.yaml").write_text(personas)
    (folder / "agent-gateway.yaml").write_text(settings)
    return build_registry(read_configuration(folder=folder, environ=environ or {}), plugins)


def served(registry: Registry) -> dict[str, int]:
    """The served personas with their ports."""
    return {each.persona.id: each.persona.port for each in registry.served}


def infos(registry: Registry) -> dict[str, PluginInfo]:
    """Plugins by name."""
    return {info.name: info for info in registry.plugins}
