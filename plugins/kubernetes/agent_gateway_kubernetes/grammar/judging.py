"""Decides on a parsed command: run at once, asked about, or never run."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import agent_gateway as ag

from . import contents
from .command import Command, Refused
from .judging_reads import judge_read
from .judging_settings import check_settings
from .judging_targets import check_targets
from .selections import check_selection
from .verb_table import READS
from .verdicts import ask, deny

_Judge = Callable[[Command], ag.Verdict]


def judge(command: Command) -> ag.Verdict:
    """`allow` for a read, `ask` for what a human must approve, `deny` for what is never run.

    A dry run is what it rehearses: it needs the same rights, and is one word away from the real thing.
    """
    if command.verb in READS:
        return judge_read(command)
    try:
        for check in (check_targets, check_selection, check_settings):
            check(command)
    except Refused as refused:
        return deny(refused.reason)
    verdict = _CONTENTS.get(command.verb, _nothing)(command)
    return verdict if verdict.decision == "deny" else ask(verdict.reason or _describe(command))


def _judge_text(command: Command) -> ag.Verdict:
    if not command.from_text or not command.objects:
        return ask("")
    return contents.judge_objects(command.objects, command.namespace, command.verb)


def _judge_patch(command: Command) -> ag.Verdict:
    options = command.options
    return contents.judge_patch(command.patch, options["type"], command.resources[0], options.get("subresource", ""))


def _nothing(command: Command) -> ag.Verdict:
    del command
    return ask("")


_CONTENTS: Mapping[str, _Judge] = {
    "apply": _judge_text,
    "create": _judge_text,
    "replace": _judge_text,
    "diff": _judge_text,
    "delete": _judge_text,
    "patch": _judge_patch,
}


def _describe(command: Command) -> str:
    """One sentence for the one who is asked."""
    objects = list(command.objects)
    names = [each.full_name for each in command.resources]
    names += [f"{each['kind']}/{each['metadata']['name']}" for each in objects]
    shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    if command.options.get("replicas") == "0":
        return f"'scale' to zero replicas stops {shown}."
    dry = command.verb == "diff" or command.options.get("dry-run", "none") != "none"
    return f"'{command.verb}' {'is a dry run on' if dry else 'changes'} {shown or 'what its text names'}."
