"""Which commands that only read are run at once, and which a human allows first."""

from __future__ import annotations

import agent_gateway as ag

from .command import Command, ResourceRef
from .kinds import kind_of
from .projections import shows_whole_objects
from .verdicts import allow, ask, deny

#: Verbs that show objects of any kind, or wait for them.
_ANY_KIND = frozenset({"get", "describe", "wait"})
_SHOWS = frozenset({"get", "events"})
#: What the command names must have letters of `kind_table` for it to make sense.
_NEEDS = {"logs": ("g", "has no logs"), "rollout status": ("o", "is not rolled out"),
          "rollout history": ("o", "is not rolled out")}  # fmt: skip


def judge_read(command: Command) -> ag.Verdict:
    """Allow a read, ask for what shows too much or an unknown kind, deny what makes no sense."""
    if command.verb in _NEEDS:
        letter, why = _NEEDS[command.verb]
        for each in command.resources:
            kind = kind_of(each)
            if kind is None or letter not in kind.uses:
                return deny(f"'{each.full_kind}' {why}.")
        return allow()
    if command.verb in _ANY_KIND:
        for each in command.resources:
            if not _is_readable(each):
                return ask(f"'{each.full_kind}' is not on the list of kinds that are read without asking.")
    if not _shows_everything(command):
        return allow()
    if command.all_namespaces:
        return ask("It shows whole objects across all namespaces.")
    if any(each.kind == "configmaps" and not each.name for each in command.resources):
        return ask("It shows the values of every configmap.")
    return allow()


def _is_readable(reference: ResourceRef) -> bool:
    kind = kind_of(reference)
    return kind is not None and kind.readable


def _shows_everything(command: Command) -> bool:
    """Whether the output holds whole objects, or parts that may hold anything."""
    if command.verb == "describe":
        return True
    output = command.options.get("output", "")
    return command.verb in _SHOWS and bool(output) and shows_whole_objects(output)
