"""The rules of the house that no linter knows: sizes, names, where errors may be caught, who may import what."""

from __future__ import annotations

import ast
import graphlib
import io
import os
import re
import subprocess
import sys
import tokenize
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from scripts import sizes
from scripts.sizes import FOLDERS, PRODUCT, ROOT, Module

BANNED_WORDS = frozenset({"utils", "helpers", "common", "misc", "core", "base", "manager", "service", "handler"})

#: Where an error of any kind may be caught, and why nowhere else.
BROAD_CATCHES = {
    "src/agent_gateway/plugins/isolation.py:attempt": "a plugin's code may raise anything, and harms only itself",
    "src/agent_gateway/policy/border.py:cross": "a tool's code may raise anything, and harms only its call",
    "src/agent_gateway/api/front.py:__call__": "the HTTP edge: a bug is one 500, not the end of the server",
}

#: Library -> the only places that may import it; the name of a folder ends with a slash.
IMPORTERS = {
    "litestar": ("src/agent_gateway/api/",),
    # A plugin that serves by itself does so in a process of its own.
    "uvicorn": ("src/agent_gateway/server/", "plugins/observability/agent_gateway_observability/serving.py"),
    "uvloop": ("src/agent_gateway/server/",),
    "langgraph": ("src/agent_gateway/graph/build/",),
    "langchain_core": ("src/agent_gateway/graph/build/",),
    "kubernetes_asyncio": ("src/agent_gateway/clusters/",),
    "lancedb": ("src/agent_gateway/knowledge/",),
    "pyarrow": ("src/agent_gateway/knowledge/",),
    "torch": ("src/agent_gateway/knowledge/encoders/sentence_transformers_encoder.py",),
    "sentence_transformers": ("src/agent_gateway/knowledge/encoders/sentence_transformers_encoder.py",),
    "onnxruntime": ("src/agent_gateway/knowledge/encoders/",),
    "litellm": ("src/agent_gateway/models/litellm_",),
    "openai": ("src/agent_gateway/models/litellm_",),
    "httptools": ("src/agent_gateway/server/", "src/agent_gateway/models/http_connection.py"),
}
#: What takes longer to import than the command line may take to answer `--help`.
HEAVY = ("langgraph", "lancedb", "litellm", "litestar", "onnxruntime", "pyarrow", "sentence_transformers", "sklearn",
         "torch")  # fmt: skip
LIGHT_MODULES = ("agent_gateway", "agent_gateway.config", "agent_gateway.plugins", "agent_gateway.registry",
                 "agent_gateway.cli", "agent_gateway.server")  # fmt: skip

#: Looked for everywhere but in this file.
UNWANTED = {
    "an unfinished thought": r"\b(TODO|FIXME|XXX|HACK)\b",
    "a path of one machine": r"(?<![\w.])/(work|root|opt/wheels|tmp/ag)\b|/home/(?!you\b)\w+",
    "a ticket number": r"\b(issue #?|GH-)\d+",
    "a tool that writes code": r"(?i)\b(claude|copilot|chatgpt|AI-generated)\b",
}
TEXT_SUFFIXES = frozenset({"", ".py", ".md", ".yaml", ".yml", ".toml", ".txt", ".html", ".cfg"})
SILENCER = re.compile(r"#\s*(noqa|type:\s*ignore|pragma)", re.IGNORECASE)
EXPLAINED = (
    re.compile(r"# noqa: [A-Z]+[0-9]+(, [A-Z]+[0-9]+)* (- )?\S.{5,}"),
    re.compile(r"# type: ignore\[[a-z-]+(, ?[a-z-]+)*\] +# \S.{5,}"),
    re.compile(r"# pragma: no (cover|branch) - \S.{5,}"),
)


@pytest.fixture(scope="module")
def modules() -> list[Module]:
    """Every Python file of the repository."""
    return sizes.modules(*FOLDERS)


@pytest.fixture(scope="module")
def product() -> list[Module]:
    """Every Python file that users run."""
    return sizes.modules(*PRODUCT)


def test_no_module_function_or_signature_is_too_big(modules: list[Module]) -> None:
    assert [line for module in modules for line in sizes.oversized(module)] == []


def test_the_median_module_stays_small(product: list[Module]) -> None:
    assert 0 < sizes.median(product) <= sizes.LARGEST_MEDIAN


def test_sizes_are_told_from_the_source() -> None:
    source = "class A:\n    def f(self, a, b, /, c, *d, e):\n        return (\n            a\n        )\n"
    module = Module("example.py", source, ast.parse(source))
    (function,) = sizes.functions(module)
    assert (sizes.parameters(function), sizes.function_lines(function), module.lines) == (4, 4, 5)
    long = Module("long.py", "x = 1\n" * 401, ast.parse("x = 1\n"))
    assert list(sizes.oversized(long)) == ["long.py: 401 lines, at most 400"]


def test_nothing_is_global(modules: list[Module]) -> None:
    found = [
        f"{module.name}:{node.lineno}"
        for module in modules
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Global)
    ]
    assert found == []


def words(name: str) -> set[str]:
    """Split `RunManager`, `run_manager` and `HTTPHandlers` into their words, plural and singular alike."""
    parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)
    return {part.lower() for part in parts} | {part.lower() + "s" for part in parts}


def test_names_say_what_a_thing_is(modules: list[Module]) -> None:
    found = [module.name for module in modules if words(Path(module.name).stem) & BANNED_WORDS]
    found += [
        f"{module.name}:{node.lineno}: {node.name}"
        for module in modules
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ClassDef) and words(node.name) & BANNED_WORDS
    ]
    assert found == []


def test_the_words_of_a_name_are_found() -> None:
    assert words("HTTPRouteHandler") >= {"http", "route", "handler"}
    assert words("run_helper") >= {"helpers"}
    assert not words("basement") & BANNED_WORDS


def test_errors_of_any_kind_are_caught_in_the_named_places_only(product: list[Module]) -> None:
    found = {place for module in product for place in broad_catches(module.tree, module.name)}
    assert found == set(BROAD_CATCHES)


def test_broad_catches_are_found() -> None:
    source = """
def a():
    try: pass
    except (OSError, Exception): pass
def b():
    try: pass
    except: pass
def c():
    with contextlib.suppress(BaseException): pass
def d():
    try: pass
    except BaseException:
        undo()
        raise
def e():
    try: pass
    except OSError: pass
"""
    assert list(broad_catches(ast.parse(source), "x")) == ["x:a", "x:b", "x:c"]


def broad_catches(tree: ast.AST, name: str, function: str = "") -> Iterator[str]:
    """Yield `file:function` of each place that catches everything; cleaning up and raising again is not catching."""
    for node in ast.iter_child_nodes(tree):
        inside = node.name if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else function
        swallows = isinstance(node, ast.ExceptHandler) and is_broad(node.type) and not raises_again(node)
        if swallows or (isinstance(node, ast.Call) and is_suppress(node.func) and any(map(is_broad, node.args))):
            yield f"{name}:{inside}"
        yield from broad_catches(node, name, inside)


def is_broad(kind: ast.expr | None) -> bool:
    """Tell whether this names every exception there is."""
    if isinstance(kind, ast.Tuple):
        return any(is_broad(each) for each in kind.elts)
    return kind is None or (isinstance(kind, ast.Name) and kind.id in {"Exception", "BaseException"})


def is_suppress(function: ast.expr) -> bool:
    """Tell whether this is `contextlib.suppress`."""
    return "suppress" in {getattr(function, "id", ""), getattr(function, "attr", "")}


def raises_again(handler: ast.ExceptHandler) -> bool:
    """Tell whether it ends by raising what it caught."""
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def test_every_silencer_names_its_rule_and_its_reason(modules: list[Module]) -> None:
    found = [
        f"{module.name}:{line}: {comment}"
        for module in modules
        for line, comment in comments(module.text)
        if SILENCER.search(comment) and not any(pattern.search(comment) for pattern in EXPLAINED)
    ]
    assert found == []


def comments(text: str) -> Iterator[tuple[int, str]]:
    """Yield line and text of each comment."""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def tracked_texts() -> Iterator[tuple[str, str]]:
    """Yield name and content of each text file that belongs to the repository."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    own = Path(__file__).relative_to(ROOT).as_posix()
    for name in listed.stdout.splitlines():
        path = ROOT / name
        if path.suffix in TEXT_SUFFIXES and path.is_file() and name not in {"LICENSE", own}:
            yield name, path.read_text(encoding="utf-8", errors="replace")


@pytest.mark.parametrize("what", UNWANTED)
def test_no_file_holds_what_does_not_belong(what: str) -> None:
    pattern = re.compile(UNWANTED[what])
    found = [
        f"{name}:{number}: {line.strip()[:100]}"
        for name, text in tracked_texts()
        for number, line in enumerate(text.splitlines(), start=1)
        if pattern.search(line)
    ]
    assert found == []


def imported(module: Module) -> Iterator[str]:
    """Yield the full name of everything a module imports, wherever in it that stands."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("library", IMPORTERS)
def test_a_library_is_imported_where_it_belongs(library: str, product: list[Module]) -> None:
    found = {module.name for module in product if library in {name.partition(".")[0] for name in imported(module)}}
    assert found, f"nothing imports {library} any more"
    assert [name for name in found if not name.startswith(IMPORTERS[library])] == []


def test_plugins_use_the_public_api_alone() -> None:
    allowed = {"agent_gateway"}
    found = [
        f"{module.name}: {name}"
        for module in sizes.modules("plugins")
        for name in imported_modules(module)
        if name.partition(".")[0].startswith("agent_gateway")
        and name not in allowed | own_names(module) | ({"agent_gateway.testing"} if is_test(module) else set())
    ]
    assert found == []


def imported_modules(module: Module) -> Iterator[str]:
    """Yield the modules that are imported, without what is taken from them."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module or ""


def own_names(module: Module) -> set[str]:
    """Return the module a plugin may import because it is its own."""
    return {f"agent_gateway_{Path(module.name).parts[1]}"}


def is_test(module: Module) -> bool:
    """Tell whether this is a plugin's own test."""
    return Path(module.name).name.startswith(("test_", "conftest"))


def test_the_inside_never_imports_the_root() -> None:
    inside = {"agent_gateway." + Path(module.name).parts[2].removesuffix(".py") for module in sizes.modules("src")}
    found = [
        f"{module.name}: {name}"
        for module in sizes.modules("src")
        if module.name != "src/agent_gateway/__init__.py"
        for name in imported(module)
        if name == "agent_gateway"
        or (name.startswith("agent_gateway.") and ".".join(name.split(".")[:2]) not in inside)
    ]
    assert found == []


def test_imports_run_one_way() -> None:
    done = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-logo", "--no-cache"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_import_is_exempt_from_the_rules() -> None:
    settings: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    linter = settings["importlinter"]
    assert "exclude_type_checking_imports" not in linter
    assert [contract["name"] for contract in linter["contracts"] if "ignore_imports" in contract] == []


def test_no_import_runs_in_a_circle() -> None:
    import grimp  # noqa: PLC0415 - it starts a parser of its own

    graph = grimp.build_graph("agent_gateway", cache_dir=None)
    order = {name: graph.find_modules_directly_imported_by(name) for name in graph.modules}
    assert list(graphlib.TopologicalSorter(order).static_order())


@pytest.mark.parametrize("module", LIGHT_MODULES)
def test_importing_this_loads_nothing_heavy(module: str) -> None:
    code = f"import sys, {module}; print(*sorted(set(sys.argv[1:]) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code, *HEAVY], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def run_pytest(folder: Path, **environment: str) -> str:
    """Run pytest on a folder with this repository's conftest, and return its closing line."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "tests.conftest", "-p", "no:cacheprovider", "-c", os.devnull,
         "--rootdir", str(folder), str(folder)],
        cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.stdout.splitlines()[-1]


def test_a_skip_is_a_failure_on_ci_and_only_there(tmp_path: Path) -> None:
    (tmp_path / "test_one.py").write_text("import pytest\ndef test_it():\n    pytest.skip('no server')\n", "utf-8")
    (tmp_path / "test_two.py").write_text("import pytest\npytest.importorskip('no_such_module')\n", "utf-8")
    (tmp_path / "test_ok.py").write_text("import pytest\n@pytest.mark.xfail\ndef test_it():\n    assert 0\n", "utf-8")
    assert re.match(r"2 skipped, 1 xfailed", run_pytest(tmp_path, CI=""))
    assert re.match(r"1 error", run_pytest(tmp_path, CI="true"))
    (tmp_path / "test_two.py").unlink()
    assert re.match(r"1 failed, 1 xfailed", run_pytest(tmp_path, CI="true"))
