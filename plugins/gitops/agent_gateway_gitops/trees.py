"""Files of a commit: read, listed, compared, and written into a new tree."""

from __future__ import annotations

import difflib
import stat
from collections.abc import Iterator, Mapping

from dulwich.diff_tree import tree_changes
from dulwich.object_store import BaseObjectStore, commit_tree_changes, iter_tree_contents
from dulwich.objects import Blob, ObjectID, Tree

import agent_gateway as ag

_MOST_FILES = 20_000
_YAML = (b".yaml", b".yml")


def lookup(store: BaseObjectStore, tree_id: bytes, path: str) -> tuple[int, bytes] | None:
    """Mode and id of what lies at a path, None when nothing does; `Forbidden` for symlinks and submodules."""
    mode, found = stat.S_IFDIR, tree_id
    for part in path.encode().split(b"/"):
        tree = store[ObjectID(found)]
        if not stat.S_ISDIR(mode) or not isinstance(tree, Tree) or part not in tree:
            return None
        mode, found = tree[part]
        if not (stat.S_ISDIR(mode) or stat.S_ISREG(mode)):
            raise ag.Forbidden(f"{path} is, or lies behind, a symbolic link or submodule", code="git_path")
    return mode, found


def blob_id(store: BaseObjectStore, tree_id: bytes, path: str) -> str:
    """The id of a file's content, empty when there is no file; `InvalidInput` for a folder."""
    found = lookup(store, tree_id, path)
    if found is None:
        return ""
    if stat.S_ISDIR(found[0]):
        raise ag.InvalidInput(f"{path} is a folder")
    return found[1].decode()


def read(store: BaseObjectStore, tree_id: bytes, path: str) -> bytes | None:
    """A file's content, None when there is no file."""
    found = blob_id(store, tree_id, path)
    return content_of(store, found.encode()) if found else None


def content_of(store: BaseObjectStore, blob: bytes | None) -> bytes:
    """The bytes of a blob; none for no blob."""
    found = store[ObjectID(blob)] if blob else None
    return found.data if isinstance(found, Blob) else b""


def yaml_files(store: BaseObjectStore, tree_id: bytes, below: str) -> Iterator[str]:
    """The paths of all YAML files that are plain files; the first thousands of them."""
    prefix = f"{below.strip('/')}/".encode() if below.strip("/") else b""
    for count, entry in enumerate(iter_tree_contents(store, ObjectID(tree_id))):
        if count >= _MOST_FILES:
            return
        path = entry.path or b""
        if path.endswith(_YAML) and path.startswith(prefix) and entry.mode and stat.S_ISREG(entry.mode):
            yield path.decode("utf-8", errors="replace")


def write(store: BaseObjectStore, tree_id: bytes, files: Mapping[str, bytes]) -> ObjectID:
    """Store files and the trees above them; returns the new tree. A file that exists keeps its mode."""
    changes: list[tuple[bytes, int | None, ObjectID | None]] = []
    for path, content in files.items():
        found = lookup(store, tree_id, path)
        blob = Blob.from_string(content)
        store.add_object(blob)
        changes.append((path.encode(), found[0] if found else stat.S_IFREG | 0o644, blob.id))
    return commit_tree_changes(store, ObjectID(tree_id), changes)


def changed_files(store: BaseObjectStore, before: bytes | None, after: bytes) -> Iterator[tuple[str, bytes, bytes]]:
    """Path, old and new blob of each file that differs between two trees; an empty id is no file."""
    for change in tree_changes(store, ObjectID(before) if before else None, ObjectID(after)):
        old, new = change.old, change.new
        path = (new.path if new and new.path else old.path if old else b"") or b""
        yield (
            path.decode("utf-8", errors="replace"),
            (old.sha if old else None) or b"",
            (new.sha if new else None) or b"",
        )


def unified(path: str, before: bytes | None, after: bytes | None) -> str:
    """The unified diff of one file, as git writes it but without ids and secrets."""
    texts = ["" if each is None else ag.redact(each.decode("utf-8", errors="replace")) for each in (before, after)]
    if before != after and texts[0] == texts[1] != "":
        return f"{path}: a secret changes, not shown\n"
    old, new = (each.splitlines(keepends=True) for each in texts)
    names = ("/dev/null" if before is None else f"a/{path}", "/dev/null" if after is None else f"b/{path}")
    lines = difflib.unified_diff(old, new, *names)
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)
