"""What may be edited: paths, and content that is none of anybody's business."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from dulwich.wildmatch import MalformedPattern, translate

import agent_gateway as ag

from .yaml_nodes import MappingNode, Node, ScalarNode, SequenceNode, compose

LARGEST_FILE = 256 * 1024
_LONGEST_PATH = 300
#: Flux's own manifests, and what servers act on. Whatever begins with a dot (.git, .github, .sops.yaml) is out as well.
_FORBIDDEN_PARTS = frozenset({"flux-system", "git~1"})
_SECRET_KINDS = frozenset({"secret", "sealedsecret", "secretlist"})
#: What tells a Secret from a reference to one.
_SECRET_KEYS = frozenset({"metadata", "data", "stringData", "items", "<<"})
_SECRET_TEXT = re.compile(r"ENC\[[A-Z0-9_]+,|-----BEGIN [A-Z ]*PRIVATE KEY")
#: Without one of these no parser finds a Secret in YAML.
_SUSPICIOUS = re.compile(r"(?i)secr|sops|[\\*!]")


def check_path(path: str, globs: tuple[str, ...]) -> None:
    """`InvalidInput` for what is no path of a repository, `Forbidden` for one that may not be edited."""
    parts = path.split("/")
    odd = any(part in {"", ".", ".."} for part in parts) or any(ord(char) < 32 or char in '\\:*?"<>|' for char in path)
    if odd or len(path) > _LONGEST_PATH:
        raise ag.InvalidInput(f"'{path[:80]}' is no path within the repository, like apps/web/release.yaml")
    if any(part.startswith(".") or part.lower() in _FORBIDDEN_PARTS for part in parts):
        raise ag.Forbidden(f"{path} is never edited: hidden files and flux-system are out of reach", code="git_path")
    if not matches(path, globs):
        allowed = ", ".join(globs) or "nothing"
        raise ag.Forbidden(f"{path} may not be edited", code="git_path", hint=f"plugins.gitops allows: {allowed}")


def matches(path: str, globs: tuple[str, ...]) -> bool:
    """Whether a path fits one of the globs; `**` is any number of folders."""
    return any(_pattern(glob).fullmatch(path.encode()) for glob in globs)


def _pattern(glob: str) -> re.Pattern[bytes]:
    try:
        return re.compile(translate(glob.encode()), re.DOTALL)
    except (MalformedPattern, re.error):
        raise ag.InvalidInput(f"'{glob}' is no glob", hint="mend plugins.gitops.repositories.*.paths") from None


def is_secret(path: str, content: bytes) -> bool:
    """Whether a file holds a Secret, something encrypted or a private key, or cannot be told not to."""
    if any(part.startswith(".sops") for part in path.split("/")):
        return True
    text = content.decode("utf-8", errors="replace")
    if _SECRET_TEXT.search(text):
        return True
    if not path.endswith((".yaml", ".yml", ".json")) or not _SUSPICIOUS.search(text):
        return False
    try:
        return any(_names_secret(node) for root in compose(text) for node in walk(root))
    except ag.InvalidInput:
        # A template that only becomes YAML: the words alone decide, and they are there.
        return bool(re.search(r"(?i)kind\W+secret|^sops\W", text, re.MULTILINE))


def walk(root: Node) -> Iterator[Node]:
    """Every node once, also when aliases make a circle of them."""
    seen: set[int] = set()
    left = [root]
    while left:
        node = left.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        yield node
        if isinstance(node, MappingNode):
            left += [each for pair in node.value for each in pair]
        elif isinstance(node, SequenceNode):
            left += node.value


def _names_secret(node: Any) -> bool:
    if not isinstance(node, MappingNode):
        return False
    written = {str(key.value): value for key, value in node.value if isinstance(key, ScalarNode)}
    kind = written.get("kind")
    if isinstance(kind, ScalarNode) and str(kind.value).lower() in _SECRET_KINDS:
        return not _SECRET_KEYS.isdisjoint(written)
    return isinstance(written.get("sops"), MappingNode)


def check_content(path: str, content: bytes) -> None:
    """`Forbidden` for secrets, `InvalidInput` for what is too large or no text."""
    if len(content) > LARGEST_FILE:
        raise ag.InvalidInput(f"{path} is larger than {LARGEST_FILE // 1024} KiB")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise ag.InvalidInput(f"{path} is no UTF-8 text") from None
    if "\x00" in text or text.startswith("\ufeff"):
        raise ag.InvalidInput(f"{path} begins with a byte order mark, or holds bytes that are no text")
    if is_secret(path, content):
        raise ag.Forbidden(f"{path} holds a Secret or something encrypted, and is not touched", code="git_secret")
