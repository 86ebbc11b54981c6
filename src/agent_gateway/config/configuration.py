"""Gathers settings and personas.yaml into one frozen `Configuration`, with every fault found on the way."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from agent_gateway.config.entries import PersonaEntry, PersonasFile
from agent_gateway.config.environment import plugin_names, read_dotenv, variable_layers
from agent_gateway.config.layers import Layer, Origins, anchor
from agent_gateway.config.settings import PATH_KEYS, Settings
from agent_gateway.config.validation import build_settings, validate
from agent_gateway.config.yaml_file import read_mapping
from agent_gateway.errors import ConfigurationError, Fault

SETTINGS_FILE = "agent-gateway.yaml"


@dataclass(frozen=True)
class Configuration:
    """Everything the gateway was told. Paths in `settings` are absolute.

    `plugin_names`: load only these plugins (None: all). `faults`: what is wrong and was left out; empty unless made by
    `read_configuration`. `origins` and `personas_origins` say where a value came from, for later faults.
    """

    settings: Settings = field(default_factory=Settings)
    entries: Mapping[str, PersonaEntry] = field(default_factory=dict)
    only_listed: bool = False
    personas_file: Path = Path("personas.yaml")
    plugin_names: frozenset[str] | None = None
    faults: tuple[Fault, ...] = ()
    origins: Origins = field(default_factory=Origins)
    personas_origins: Origins = field(default_factory=Origins)


def load_configuration(
    overrides: Mapping[str, Any] | None = None,
    *,
    config_file: Path | None = None,
    folder: Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> Configuration:
    """Gather the configuration; raises `ConfigurationError` with all faults at once.

    `overrides` are nested values stronger than all others (command line flags); `config_file` must exist when given;
    `folder` is the working folder and `environ` the environment, the process's own unless given.
    """
    configuration = read_configuration(overrides, config_file=config_file, folder=folder, environ=environ)
    if configuration.faults:
        raise ConfigurationError(configuration.faults)
    return configuration


def read_configuration(
    overrides: Mapping[str, Any] | None = None,
    *,
    config_file: Path | None = None,
    folder: Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> Configuration:
    """Gather the configuration like `load_configuration`, but return faults beside whatever is right."""
    folder = Path.cwd() if folder is None else folder.absolute()
    environ = os.environ if environ is None else environ
    dotenv, faults = read_dotenv(folder)
    own, own_files, own_faults = variable_layers(environ, "environment", folder)
    shared, shared_files, shared_faults = variable_layers(dotenv, ".env", folder)
    written, written_faults = settings_layer(config_file, folder)
    flags = Layer(file="command line", values=anchor(overrides or {}, folder))
    layers = (flags, own, shared, own_files, shared_files, written)
    settings, origins, wrong = validate(Settings, layers, build_settings)
    settings, missing = locate(settings or Settings(), origins, folder)
    personas, personas_origins, personas_faults = read_personas(settings.personas_file, folder)
    return Configuration(
        settings=settings,
        entries=MappingProxyType(dict(personas.personas)),
        only_listed=personas.only_listed,
        personas_file=settings.personas_file,
        plugin_names=plugin_names(environ, dotenv),
        faults=(*faults, *own_faults, *shared_faults, *written_faults, *wrong, *missing, *personas_faults),
        origins=origins,
        personas_origins=personas_origins,
    )


def settings_layer(config_file: Path | None, folder: Path) -> tuple[Layer, tuple[Fault, ...]]:
    """Read the settings file: the given one, which must exist, or the working folder's, if there is one."""
    path = folder / (SETTINGS_FILE if config_file is None else config_file)
    file = shown(path, folder)
    if config_file is None and not is_there(path):
        return Layer(file=file, values={}), ()
    values, faults = read_mapping(path, file)
    given = {key: value for key, value in values.items() if value is not None}  # a section with all lines commented
    return Layer(file=file, values=anchor(given, path.parent)), faults


def locate(settings: Settings, origins: Origins, folder: Path) -> tuple[Settings, tuple[Fault, ...]]:
    """Make paths absolute, and require the personas file and the plugins folder if somebody asked for them."""
    asked = settings.model_fields_set
    settings = settings.model_copy(update={key: folder / getattr(settings, key) for key in PATH_KEYS})
    details = {
        "personas_file": "" if is_there(settings.personas_file) else "does not exist",
        "plugins_dir": folder_trouble(settings.plugins_dir),
    }
    return settings, tuple(
        origins.fault((key,), detail, value=getattr(settings, key))
        for key, detail in details.items()
        if detail and (key in asked or detail != "does not exist")
    )


def folder_trouble(path: Path) -> str:
    """Say why a folder cannot be listed, or nothing."""
    if not is_there(path):
        return "does not exist"
    if not path.is_dir():
        return "is not a folder"
    return "" if os.access(path, os.R_OK | os.X_OK) else "may not be read"


def read_personas(path: Path, folder: Path) -> tuple[PersonasFile, Origins, tuple[Fault, ...]]:
    """Read personas.yaml; a missing one lists nobody (an asked-for one that is missing is a fault already)."""
    file = shown(path, folder)
    values, faults = read_mapping(path, file) if is_there(path) else ({}, ())
    given = {key: value for key, value in values.items() if value is not None}
    if isinstance(given.get("personas"), Mapping):
        given["personas"] = {name: {} if entry is None else entry for name, entry in given["personas"].items()}
    layer = Layer(file=file, values=given)
    personas, origins, wrong = validate(
        PersonasFile, (layer,), lambda layers: PersonasFile.model_validate(layers[0].values)
    )
    return personas or PersonasFile(), origins, (*faults, *wrong)


def shown(path: Path, folder: Path) -> str:
    """Return a path as faults show it: short when below the working folder."""
    return str(path.relative_to(folder)) if path.is_relative_to(folder) else str(path)


def is_there(path: Path) -> bool:
    """Tell whether a path exists; one that may not be looked at does, and reading it says why it fails."""
    try:
        path.stat()
    except PermissionError:
        return True
    except OSError:
        return False
    return True
