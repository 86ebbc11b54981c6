"""Plain requests to change a workload or a node: restart, scale, roll back, cordon. Prose never deletes anything."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

import agent_gateway as ag

from .recognized_kinds import SCALABLE, WORKLOADS, find_kind
from .recognized_reading import Reading
from .recognized_words import OBJECT, SUBJECT, Words

_SLOTS = {
    "SUBJECT": SUBJECT,
    "OBJECT": OBJECT,
    "IT": "(?P<it>it|that|this|them|those|these|this one|that one)",
    "COUNT": r"(?P<count>\d{1,4})",
    "REVISION": r"(?P<revision>\d{1,6})",
    "COPIES": "replicas?|<[sp]:pods>|instances?|copies|copy",
    "NODE": rf"(?:<s:nodes> )?(?P<name>{ag.Phrases.NAME})(?: <s:nodes>)?",
    "VERB": "(?P<verb>cordon|uncordon)",
}
_BACK = "[to [a] (previous|last|prior) [version|revision|one]|to revision REVISION]"
_PHRASES = {
    "restart": ag.Phrases(
        """
        restart|bounce|rolling-restart IT
        restart|bounce|rolling-restart SUBJECT
        (do|trigger|perform|start) [a] (restart|rolling restart|rolling-restart|rollout restart) of|for|on SUBJECT
        (rollout restart|rolling restart|rolling restart of|rollout restart of) SUBJECT
        """,
        _SLOTS,
    ),
    "scale": ag.Phrases(
        """
        scale [up|down|out|in] IT [up|down|out] to COUNT [COPIES]
        scale [up|down|out|in] SUBJECT [up|down|out] to COUNT [COPIES]
        set (replicas|number of replicas|replica count) of|for OBJECT to COUNT
        set OBJECT to COUNT COPIES
        """,
        _SLOTS,
    ),
    "undo": ag.Phrases(
        f"""
        (roll back|rollback|undo|revert|roll) IT [back] {_BACK}
        (roll back|rollback|undo rollout of|undo last rollout of|revert last rollout of|rollout undo) SUBJECT {_BACK}
        roll SUBJECT back {_BACK}
        """,
        _SLOTS,
    ),
    "cordon": ag.Phrases("VERB [off] IT\nVERB [off] NODE", _SLOTS),
}
_KINDS = {"restart": WORKLOADS, "scale": SCALABLE, "undo": WORKLOADS}
_TOLD = {"restart": "restart", "scale": "scale", "undo": "roll back"}
_EXAMPLES = {
    "restart": "what to restart, like `restart deployment api in namespace web`",
    "scale": "what to scale, like `scale deployment api in namespace web to 3`",
    "undo": "what to roll back, like `roll back deployment api in namespace web`",
}
_COMMANDS = {
    "restart": "kubectl rollout restart {target}{scope}",
    "scale": "kubectl scale {target}{scope} --replicas={count}",
    "undo": "kubectl rollout undo {target}{scope}",
}


class Change(NamedTuple):
    """A change: what is done, to which workload (kind for one), and how it reads as a command."""

    verb: str
    kind: str
    name: str
    replicas: int
    reading: Reading


def read_change(words: Words) -> Change | None:
    """The change that is asked for; its reading says what is missing."""
    if words.everywhere:
        return None
    for verb, phrases in _PHRASES.items():
        for parts in phrases.matches(words.text):
            change = _cordon(parts, words) if verb == "cordon" else _change(verb, parts, words)
            if change is not None:
                return change
    return None


def _change(verb: str, parts: Mapping[str, str], words: Words) -> Change | None:
    if "it" in parts:
        return Change(verb, "", "", 0, Reading("", f"{_TOLD[verb]} something", 0.8, _EXAMPLES[verb]))
    kind, name = parts.get("kind", ""), parts["name"]
    # A service is what people call an app; only its deployment can be changed.
    guessed = kind in {"", "services"}
    kind = "deployments" if guessed else kind
    if kind not in _KINDS[verb]:
        return None
    one, count, revision = find_kind(kind).singular, parts.get("count", ""), parts.get("revision", "")
    extra = f" to {count}" if count else f" to revision {revision}" if revision else ""
    told = f"{_TOLD[verb]} {one} {name}{extra}{words.where}"
    if guessed and not words.namespace:
        reading = Reading("", told, 0.8, "the namespace, like `in namespace web`")
    else:
        command = _COMMANDS[verb].format(target=f"{one}/{name}", count=count, scope=words.scope())
        command += f" --to-revision={revision}" if revision else ""
        reading = Reading(command, told, 0.92 if guessed else 0.95)
    return Change(verb, one, name, int(count or 0), reading)


def _cordon(parts: Mapping[str, str], words: Words) -> Change | None:
    verb = parts["verb"]
    if words.namespace:
        return None
    if "it" in parts:
        return Change(verb, "", "", 0, Reading("", f"{verb} a node", 0.8, f"the node, like `{verb} worker-1`"))
    node = parts["name"]
    confidence = 0.95 if "<" in words.text or re.search(r"[-\d]", node) else 0.6
    return Change(verb, "node", node, 0, Reading(f"kubectl {verb} {node}", f"{verb} node {node}", confidence))
