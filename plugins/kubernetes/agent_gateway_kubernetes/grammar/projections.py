"""Templates of `-o jsonpath` and `-o custom-columns`: whether they are well formed, and how much they show."""

from __future__ import annotations

import re
from collections.abc import Iterator

LONGEST_TEMPLATE = 2048

#: One step of a path: `.name`, `.a\.b`, `['a.b']`, `[0]`, `[*]`, `[0:2]`, `..name`, `[?(@.a=="b")]`.
_STEP = (
    r"\.\.?(?:[A-Za-z0-9_/-]|\\\.)+|\.\*|\.\.\*|\[\*\]|\[-?[0-9]*(?::-?[0-9]*){0,2}\]|\['[^']*'\]|\[\"[^\"]*\"\]"
    r"|\[\?\(\s*@(?:\.[A-Za-z0-9_/-]+|\[[0-9*]+\])*\s*(?:(?:==|!=|<=|>=|<|>|=~)\s*(?:\"[^\"]*\"|'[^']*'|[A-Za-z0-9.]+)\s*)?\)\]"
)
_STEPS = re.compile(_STEP)
_PATH = re.compile(rf"[$@]?\.?(?:[A-Za-z0-9_-]+)?(?:{_STEP})*\.?")
#: There is one way only to read each quote, or a long row of them would be tried in all ways.
_EXPRESSION = re.compile(r"\{(?:[^{}\"]|\"[{}]+\"|\")*\}")
_LITERAL = re.compile(r"\"[^\"]*\"|'[^']*'")
#: A column: a heading, and a path with or without braces.
_HEADING = re.compile(r"[A-Za-z0-9_ ()/%.-]{1,64}")
#: A path that ends here shows whole parts of objects, or values that may hold credentials.
_BROAD = frozenset(
    {"", "items", "spec", "template", "jobTemplate", "containers", "initContainers", "ephemeralContainers", "env",
     "value",
     "valueFrom", "data", "binaryData", "stringData", "metadata", "annotations", "managedFields", "values", "command",
     "args", "object", "status", "*"}
)  # fmt: skip
_BROAD_WITHIN = frozenset({"data", "binaryData", "stringData", "env", "annotations", "managedFields", "values"})


def is_path(text: str) -> bool:
    """One path, in braces or not."""
    inner = text[1:-1] if text.startswith("{") and text.endswith("}") else text
    return 0 < len(inner) <= 512 and _PATH.fullmatch(inner) is not None


def is_template(text: str) -> bool:
    """A jsonpath template: text and expressions in braces, `range` closed by `end`."""
    if not text or len(text) > LONGEST_TEMPLATE:
        return False
    rest = _EXPRESSION.sub("", text)
    if "{" in rest or "}" in rest:
        return False
    open_ranges = 0
    for expression in _expressions(text):
        if expression == "end":
            open_ranges -= 1
        elif expression.startswith("range "):
            open_ranges += 1
        if open_ranges < 0 or not _is_expression(expression.removeprefix("range ").strip()):
            return False
    return open_ranges == 0


def is_columns(text: str) -> bool:
    """The columns of a table: `NAME:.metadata.name,AGE:.metadata.creationTimestamp`."""
    return 0 < len(text) <= LONGEST_TEMPLATE and all(
        colon and _HEADING.fullmatch(heading) and is_path(path) for heading, colon, path in _columns(text)
    )


def shows_whole_objects(output: str) -> bool:
    """Whether an output format shows more of the objects than a few harmless fields."""
    kind, equals, template = output.partition("=")
    if not equals:
        return kind in {"json", "yaml", "kyaml"}
    if kind == "custom-columns":
        return any(_is_broad(path.strip("{}")) for _, _, path in _columns(template))
    return any(
        _is_broad(expression)
        for expression in _expressions(template)
        if expression != "end" and not expression.startswith("range ") and not _LITERAL.fullmatch(expression)
    )


def _expressions(text: str) -> Iterator[str]:
    return (found[0][1:-1].strip() for found in _EXPRESSION.finditer(text))


def _is_expression(text: str) -> bool:
    if text == "end" or _LITERAL.fullmatch(text):
        return True
    return _PATH.fullmatch(text) is not None


def _columns(text: str) -> list[tuple[str, str, str]]:
    """Split at the commas that are outside brackets."""
    return [column.partition(":") for column in re.split(r",(?![^\[]*\])", text)]


def _is_broad(path: str) -> bool:
    if ".." in path:
        return True
    names = [name for step in path.replace("[", ".[").split(".") if (name := step.strip("[]'\"$@ "))]
    kept = [name for name in names if not name.lstrip("-").isdigit() and not name.startswith("?")]
    while kept and kept[-1] == "*" and len(kept) > 1 and kept[-2] not in _BROAD:
        kept.pop()
    return not kept or kept[-1] in _BROAD or not _BROAD_WITHIN.isdisjoint(kept)
