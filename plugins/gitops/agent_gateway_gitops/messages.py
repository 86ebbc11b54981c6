"""Commit messages: what a person wrote, and the trailers that say which run, who asked and who approved."""

from __future__ import annotations

import re
import time

from dulwich.object_store import BaseObjectStore
from dulwich.objects import Commit, ObjectID
from dulwich.walk import Walker

import agent_gateway as ag

from .limits import Limit

KEY = "Idempotency-Key"
_OURS = re.compile(r"(?im)^\s*(agent-gateway-[\w-]*|idempotency-key)\s*:")
_TRAILER = re.compile(r"([A-Za-z0-9][A-Za-z0-9-]*): ?(.*)")
_LONGEST_SUBJECT = 100
_LONGEST_MESSAGE = 4000
#: Of a branch whose history no longer holds the commit that was approved.
_MOST_COMMITS = 5000


def check_message(message: str) -> str:
    """The message as it is committed; `InvalidInput` when it is none, or pretends to be signed by the gateway."""
    text = message.replace("\r\n", "\n").strip()
    subject, _, rest = text.partition("\n")
    if not subject or len(subject) > _LONGEST_SUBJECT or len(text) > _LONGEST_MESSAGE:
        raise ag.InvalidInput(f"a message begins with one line of at most {_LONGEST_SUBJECT} characters")
    if rest and not rest.startswith("\n"):
        raise ag.InvalidInput("an empty line stands between a message's first line and the rest")
    if any(ord(char) < 32 and char not in "\n\t" for char in text):
        raise ag.InvalidInput("a message has no control characters")
    if _OURS.search(text):
        raise ag.InvalidInput("lines like 'Agent-Gateway-Run:' are the gateway's own, leave them out")
    return text


def sign(message: str, warrant: ag.Warrant) -> bytes:
    """The message with the trailers of this effect."""
    trailers = {
        "Agent-Gateway-Run": warrant.run_id,
        "Agent-Gateway-Requester": warrant.requester,
        "Agent-Gateway-Approver": warrant.approver,
        KEY: warrant.key,
    }
    lines = [f"{name}: {_one_line(value)}" for name, value in trailers.items() if value]
    return f"{check_message(message)}\n\n{chr(10).join(lines)}\n".encode()


def read_trailers(message: bytes) -> dict[str, str]:
    """The trailers: the last paragraph, when every line of it is one."""
    paragraphs = message.decode("utf-8", errors="replace").strip().split("\n\n")
    if len(paragraphs) < 2:
        return {}
    lines = [_TRAILER.fullmatch(line) for line in paragraphs[-1].splitlines()]
    return {line[1]: line[2] for line in lines if line is not None} if all(lines) else {}


def find_effect(
    store: BaseObjectStore, head: Commit, warrant: ag.Warrant, since: str, limit: Limit
) -> tuple[Commit | None, bool]:
    """The commit that this effect has made, and whether the search was complete.

    It can only stand after `since`, the head that was approved. A history without that one is searched from its end.
    """
    known = since and ObjectID(since.encode()) in store
    walker = Walker(store, [head.id], exclude=[ObjectID(since.encode())] if known else [], max_entries=_MOST_COMMITS)
    count = 0
    for entry in walker:
        limit.check()
        count += 1
        if read_trailers(entry.commit.message).get(KEY) == _one_line(warrant.key):
            return entry.commit, True
    return None, count < _MOST_COMMITS


def make_commit(head: Commit, tree: ObjectID, author: str, message: bytes) -> Commit:
    """A commit onto a head, made now; it is not stored."""
    commit = Commit()
    commit.parents = [head.id]
    commit.tree = tree
    commit.author = commit.committer = author.encode()
    commit.author_time = commit.commit_time = int(time.time())
    commit.author_timezone = commit.commit_timezone = 0
    commit.encoding = b"UTF-8"
    commit.message = message
    return commit


def _one_line(value: str) -> str:
    return " ".join(value.split())[:200]
