"""Reads a YAML file strictly: UTF-8, a mapping at the top, no key twice. Problems are faults, never exceptions."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from agent_gateway.errors import Fault


class StrictLoader(yaml.SafeLoader):
    """The safe loader, which also notes keys that are written twice (YAML would silently take the last)."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.repeated: list[tuple[int, str]] = []

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        """Build a mapping, noting the line and name of repeated keys."""
        seen: set[str] = set()
        for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
            name = key.value if isinstance(key, yaml.ScalarNode) else None
            if name is not None and name in seen:
                self.repeated.append((key.start_mark.line + 1, name))
            elif name is not None:
                seen.add(name)
        return super().construct_mapping(node, deep=deep)


def describe(error: yaml.YAMLError) -> str:
    """Say where and why YAML is malformed, without the text around it: that may be a password."""
    problem = re.sub(r"'[^']{3,}'|\"[^\"]{3,}\"", "...", getattr(error, "problem", None) or "cannot be read")
    mark = getattr(error, "problem_mark", None)
    place = f" at line {mark.line + 1}, column {mark.column + 1}" if mark is not None else ""
    return f"is not valid YAML{place}: {problem}"


def parse(text: str, shown: str) -> tuple[dict[str, Any], tuple[Fault, ...]]:
    """Parse YAML text into a mapping, with the faults found; `shown` is the file's name in them."""
    try:
        loader = StrictLoader(text)
        values = named(loader.get_single_data())
    except yaml.YAMLError as exc:
        return {}, (Fault(file=shown, key="(file)", detail=describe(exc)),)
    except (RecursionError, ValueError) as exc:  # nested too deep; an impossible date or number
        return {}, (Fault(file=shown, key="(file)", detail=f"cannot be read: {type(exc).__name__}"),)
    faults = tuple(
        Fault(file=shown, key=name, detail=f"is written twice, again at line {line}", hint="keep one of them")
        for line, name in loader.repeated
    )
    if values is None:
        return {}, faults
    if not isinstance(values, dict):
        detail = "must be a mapping (key: value) at the top"
        return {}, (*faults, Fault(file=shown, key="(file)", detail=detail))
    return values, faults


def named(values: Any) -> Any:
    """Turn keys that YAML reads as numbers or truth values back into names."""
    if isinstance(values, dict):
        return {str(key): named(value) for key, value in values.items()}
    return [named(value) for value in values] if isinstance(values, list) else values


def read_mapping(path: Path, shown: str) -> tuple[dict[str, Any], tuple[Fault, ...]]:
    """Read a YAML file that must exist; returns its values and the faults found."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return {}, (Fault(file=shown, key="(file)", detail="does not exist"),)
    except OSError as exc:
        return {}, (Fault(file=shown, key="(file)", detail=f"cannot be read: {exc.strerror}"),)
    except UnicodeDecodeError:
        return {}, (Fault(file=shown, key="(file)", detail="is not UTF-8 text"),)
    return parse(text, shown)
