"""Settings from environment variables, a `.env` file, and files that variables name (`..._FILE`, for secrets)."""

from __future__ import annotations

from collections.abc import Mapping
from io import StringIO
from pathlib import Path

from dotenv.parser import parse_stream

from agent_gateway.config.layers import PREFIX, SECTION_SEPARATOR, Layer, anchor, nest
from agent_gateway.config.schema import KeyPath, keys_at
from agent_gateway.config.settings import PATH_KEYS, Settings
from agent_gateway.errors import Fault

#: Restricts which plugins are loaded: names separated by commas; empty loads only the built-in one.
PLUGINS_VARIABLE = "AGENT_GATEWAY_PLUGINS"
FILE_SUFFIX = "_file"


def read_dotenv(folder: Path) -> tuple[Mapping[str, str], tuple[Fault, ...]]:
    """Read the folder's `.env`, if there is one; values are taken as they stand, without expanding `${...}`."""
    try:
        text = (folder / ".env").read_text(encoding="utf-8-sig")
    except (FileNotFoundError, IsADirectoryError):  # a folder .env is a virtual environment
        return {}, ()
    except OSError as exc:
        return {}, (Fault(file=".env", key="(file)", detail=f"cannot be read: {exc.strerror}"),)
    except UnicodeDecodeError:
        return {}, (Fault(file=".env", key="(file)", detail="is not UTF-8 text"),)
    bindings = list(parse_stream(StringIO(text)))
    faults = [
        Fault(file=".env", key=f"line {each.original.line}", detail="is not NAME=value")
        for each in bindings
        if each.error
    ]
    return {each.key: each.value for each in bindings if each.key and each.value is not None}, tuple(faults)


def variable_layers(variables: Mapping[str, str], file: str, folder: Path) -> tuple[Layer, Layer, tuple[Fault, ...]]:
    """Sort variables into a layer of plain values and one of values read from the files they name."""
    plain: dict[KeyPath, tuple[str, str]] = {}
    files: dict[KeyPath, tuple[str, str]] = {}
    faults = list(misspelt(variables, file))
    for name, value in variables.items():
        if not name.startswith(PREFIX):
            continue
        path = tuple(name.removeprefix(PREFIX).lower().split(SECTION_SEPARATOR))
        target = file_target(path)
        if target is None:
            plain[path] = (name, value)
            continue
        try:
            content = (folder / value).expanduser().read_text(encoding="utf-8").strip()
        except (OSError, ValueError, RuntimeError) as exc:
            reason = exc.strerror if isinstance(exc, OSError) else "it is not UTF-8 text"
            faults.append(Fault(file=file, key=name, detail=f"the file cannot be read: {reason}", value=value))
            continue
        files[target] = (name, content)
    return layer(plain, file, folder, hidden=False), layer(files, file, folder, hidden=True), tuple(faults)


def layer(entries: Mapping[KeyPath, tuple[str, str]], file: str, folder: Path, *, hidden: bool) -> Layer:
    """Make a layer of variables, given as path -> (name, value)."""
    values = anchor(nest([(path, value) for path, (_, value) in entries.items()]), folder)
    return Layer(file=file, values=values, names={path: name for path, (name, _) in entries.items()}, hidden=hidden)


def file_target(path: KeyPath) -> KeyPath | None:
    """Return the key whose value a `..._FILE` variable names a file for; None for an ordinary variable.

    `personas_file` is itself a setting, so a key that exists as it stands is never read as a file.
    """
    if not path[-1].endswith(FILE_SUFFIX) or path[-1] in keys_at(Settings, path[:-1]):
        return None
    return (*path[:-1], path[-1].removesuffix(FILE_SUFFIX))


def misspelt(variables: Mapping[str, str], file: str) -> list[Fault]:
    """Find variables that lost an underscore after AGENT_GATEWAY.

    Kubernetes sets AGENT_GATEWAY_PORT and the like for a service of that name: those are left alone.
    """
    single = PREFIX.removesuffix("_")
    faults: list[Fault] = []
    for name in variables:
        rest = name.removeprefix(single)
        section, separator, _ = rest.lower().partition(SECTION_SEPARATOR)
        if rest != name and section in (Settings.model_fields if separator else PATH_KEYS):
            hint = f"did you mean '{PREFIX}{rest}'?"
            faults.append(Fault(file=file, key=name, detail="is not a variable of the gateway", hint=hint))
    return faults


def plugin_names(*sources: Mapping[str, str]) -> frozenset[str] | None:
    """Read which plugins to load from the first source that says so; None means all."""
    for variables in sources:
        if PLUGINS_VARIABLE in variables:
            names = (name.strip().replace("-", "_") for name in variables[PLUGINS_VARIABLE].split(","))
            return frozenset(name for name in names if name)
    return None
