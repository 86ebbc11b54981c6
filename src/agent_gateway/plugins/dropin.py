"""Imports a dropped-in plugin under a module name of its own, so that two gateways in one process never share one."""

from __future__ import annotations

import importlib.util
import secrets
import sys
from contextlib import ExitStack
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType


class FreshLoader(SourceFileLoader):
    """Compiles the source each time: a cached one is not noticed as stale within a second of an edit."""

    def get_code(self, fullname: str) -> CodeType:
        """Compile the file, neither reading nor writing a cache."""
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)


def import_file(name: str, path: Path) -> ModuleType:
    """Import a plugin's module, or its package when `path` is an `__init__.py`; raises whatever the plugin raises."""
    unique = f"agent_gateway_{name}_{secrets.token_hex(6)}"
    folders = [str(path.parent)] if path.name == "__init__.py" else None
    spec = importlib.util.spec_from_file_location(
        unique, path, loader=FreshLoader(unique, str(path)), submodule_search_locations=folders
    )
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is not a Python module")
    module = importlib.util.module_from_spec(spec)
    with ExitStack() as undo:
        undo.callback(forget, unique)
        sys.modules[unique] = module
        spec.loader.exec_module(module)
        undo.pop_all()
    return module


def forget(name: str) -> None:
    """Remove a module and what was imported below it."""
    for loaded in [each for each in sys.modules if each == name or each.startswith(f"{name}.")]:
        del sys.modules[loaded]
