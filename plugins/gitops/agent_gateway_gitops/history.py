"""`git_log` and `git_show`: what was changed, by whom, when, and for which run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from dulwich.objects import Commit, ObjectID
from dulwich.walk import Walker

import agent_gateway as ag

from . import trees
from .checkout import Checkout
from .messages import read_trailers
from .rules import LARGEST_FILE, is_secret

_AGO = re.compile(r"(\d{1,6})\s*([smhdw])\w*(\s+ago)?")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_SHA = re.compile(r"[0-9a-f]{7,40}")
_MOST_COMMITS = 5000
_MOST_LISTED = 100
_MOST_FILES = 50
_LONGEST_DIFF = 30_000
_LONGEST_SUBJECT = 200


def parse_since(since: str) -> float:
    """The moment as seconds since 1970; 0 for an empty one. `3h`, `2 days ago` or ISO 8601."""
    text = since.strip()
    if not text:
        return 0.0
    ago = _AGO.fullmatch(text.lower())
    if ago is not None:
        return (datetime.now(UTC) - timedelta(seconds=int(ago[1]) * _UNITS[ago[2]])).timestamp()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ag.InvalidInput(f"'{text[:40]}' is no time; write 3h, 2d or 2026-03-01T12:00:00Z") from None
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()


def log(checkout: Checkout, path: str, since: float, limit: int) -> list[dict[str, Any]]:
    """The newest commits of the branch, those that touched the path when one is given."""
    if not 0 < limit <= _MOST_LISTED:
        raise ag.InvalidInput(f"limit is 1 to {_MOST_LISTED}")
    head = checkout.fetch()
    listed: list[dict[str, Any]] = []
    wanted = path.strip().strip("/")
    for entry in Walker(checkout.store, [head.id], max_entries=_MOST_COMMITS, since=int(since) or None):
        checkout.limit.check()
        found = entry.commit
        files = list(_names(checkout, found))
        if not wanted or any(name == wanted or name.startswith(f"{wanted}/") for name in files):
            listed.append({**_describe(found), "files": _few(files)})
        if len(listed) == limit:
            break
    return listed


def show(checkout: Checkout, name: str) -> str:
    """One commit with its diff; a file with secrets is only named."""
    head = checkout.fetch()
    found = _resolve(checkout, name, head)
    described = _describe(found)
    lines = [
        f"commit {found.id.decode()}",
        f"author: {described['author']}",
        f"time: {described['time']}",
        "",
        found.message.decode("utf-8", errors="replace").strip(),
        "",
    ]
    diffs: list[str] = []
    room = _LONGEST_DIFF
    for count, (path, old, new) in enumerate(trees.changed_files(checkout.store, _before(checkout, found), found.tree)):
        checkout.limit.check()
        if count >= _MOST_FILES or room <= 0:
            diffs.append("... the rest is not shown\n")
            break
        diff = _diff(checkout, path, old, new)
        diffs.append(diff if len(diff) <= room else f"{diff[:room]}\n... cut\n")
        room -= len(diff)
    return "\n".join(lines) + "\n" + "".join(diffs)


def _diff(checkout: Checkout, path: str, old: bytes, new: bytes) -> str:
    before, after = (trees.content_of(checkout.store, blob) for blob in (old, new))
    if len(before) > LARGEST_FILE or len(after) > LARGEST_FILE or b"\0" in before + after:
        return f"{path}: too large, or no text\n"
    if is_secret(path, before) or is_secret(path, after):
        return f"{path}: holds a Secret or something encrypted, not shown\n"
    return trees.unified(path, before if old else None, after if new else None)


def _resolve(checkout: Checkout, name: str, head: Commit) -> Commit:
    wanted = name.strip().lower()
    if wanted in {"head", checkout.settings.branch.lower()}:
        return head
    if not _SHA.fullmatch(wanted):
        raise ag.InvalidInput(f"'{name[:60]}' is no commit; give 7 to 40 digits of its id, or HEAD")
    ids = list(checkout.store.iter_prefix(wanted.encode()))
    found = [each for each in map(checkout.store.__getitem__, ids) if isinstance(each, Commit)]
    if len(found) == 1:
        return found[0]
    state = "several commits begin with" if found else f"{checkout.settings.target} has no commit"
    raise ag.NotFound(f"{state} {wanted}", code="git_not_found")


def _describe(commit: Commit) -> dict[str, Any]:
    author = commit.author.decode("utf-8", errors="replace").partition(" <")[0]
    moment = datetime.fromtimestamp(commit.commit_time, UTC)
    # A secret may begin in the first line and end in the second.
    message = ag.redact(commit.message.decode("utf-8", errors="replace"))
    trailers = read_trailers(commit.message)
    return {
        "commit": commit.id.decode()[:12],
        "time": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "author": author,
        "subject": ag.excerpt(message.strip().partition("\n")[0], _LONGEST_SUBJECT),
        **({"trailers": trailers} if trailers else {}),
    }


def _before(checkout: Checkout, commit: Commit) -> ObjectID | None:
    """The tree that a commit changed: its first parent's."""
    return checkout.commit(commit.parents[0]).tree if commit.parents else None


def _names(checkout: Checkout, commit: Commit) -> Iterator[str]:
    return (path for path, _, _ in trees.changed_files(checkout.store, _before(checkout, commit), commit.tree))


def _few(files: list[str]) -> list[str]:
    return files if len(files) <= _MOST_FILES else [*files[:_MOST_FILES], f"... and {len(files) - _MOST_FILES} more"]
