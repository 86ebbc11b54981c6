"""Measures every module: lines, functions, parameters. Prints the median and what is too big; 1 when something is.

Run by `make test`; the same measures are asserted by tests/contract/test_gates.py.
"""

from __future__ import annotations

import ast
import statistics
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
#: What users run; its median is the one that counts.
PRODUCT = ("src", "plugins")
FOLDERS = (*PRODUCT, "tests", "benchmarks", "scripts")

LONGEST_MODULE = 400
LONGEST_FUNCTION = 60
MOST_PARAMETERS = 6
#: The median is to stay near 120.
LARGEST_MEDIAN = 130


@dataclass(frozen=True)
class Module:
    """A parsed file; `name` is its path from the root."""

    name: str
    text: str
    tree: ast.Module

    @property
    def lines(self) -> int:
        """How long it is."""
        return len(self.text.splitlines())


def modules(*folders: str) -> list[Module]:
    """Read the Python files below folders of the repository."""
    paths = sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    return [_read(path) for path in paths if not any(part.startswith(".") for part in path.relative_to(ROOT).parts)]


def _read(path: Path) -> Module:
    text = path.read_text(encoding="utf-8")
    return Module(path.relative_to(ROOT).as_posix(), text, ast.parse(text, filename=str(path)))


def functions(module: Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield every function and method, nested ones too."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def function_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """How long a function is, from `def` to its end."""
    return (function.end_lineno or function.lineno) - function.lineno + 1


def parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """How many parameters can be given by position, without `self` and `cls`, with `*args` as one.

    A parameter that must be named explains itself where it is given, and does not count.
    """
    names = [each.arg for each in (*function.args.posonlyargs, *function.args.args)]
    own = names[:1] in (["self"], ["cls"])
    return len(names) - own + (function.args.vararg is not None)


def median(found: list[Module]) -> float:
    """The median length of modules that contain something."""
    return statistics.median(module.lines for module in found if module.lines)


def oversized(module: Module) -> Iterator[str]:
    """Say what of a module is too big."""
    if module.lines > LONGEST_MODULE:
        yield f"{module.name}: {module.lines} lines, at most {LONGEST_MODULE}"
    for function in functions(module):
        place = f"{module.name}:{function.lineno}: {function.name}"
        if function_lines(function) > LONGEST_FUNCTION:
            yield f"{place}: {function_lines(function)} lines, at most {LONGEST_FUNCTION}"
        if parameters(function) > MOST_PARAMETERS:
            yield f"{place}: {parameters(function)} parameters, at most {MOST_PARAMETERS}"


def main() -> int:
    """Print the report."""
    product = modules(*PRODUCT)
    longest = max(product, key=lambda module: module.lines)
    middle = median(product)
    print(f"{len(product)} modules, median {middle:g} lines (at most {LARGEST_MEDIAN}), ", end="")
    print(f"longest {longest.lines} ({longest.name})")
    too_big = [line for module in modules(*FOLDERS) for line in oversized(module)]
    print("\n".join(too_big), end="\n" if too_big else "")
    return 1 if too_big or middle > LARGEST_MEDIAN else 0


if __name__ == "__main__":
    sys.exit(main())
