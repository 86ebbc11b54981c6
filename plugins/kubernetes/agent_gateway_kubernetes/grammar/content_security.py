"""Rules of security contexts: they may get stricter."""

from __future__ import annotations

from typing import Any

from .command import Refused
from .content_rules import Manner, Rule, fields, never, only

_LARGEST_ID = 2**31 - 1
off: Rule = only(False, why="A container gets no more rights than it has.")
on: Rule = only(True, why="What protects a container is not switched off or taken away.")


def not_root(value: Any, manner: Manner) -> None:
    """The number of a user or a group other than root."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= _LARGEST_ID:
        raise Refused("Containers do not run as root, and their user is a positive number.")


def _not_root_groups(value: Any, manner: Manner) -> None:
    if not isinstance(value, list) or not value:
        raise Refused("The groups of containers are a list of positive numbers.")
    for each in value:
        not_root(each, manner)


def _dropped(value: Any, manner: Manner) -> None:
    """Capabilities that are dropped: the list replaces the one before, so only all of them are not fewer."""
    if not isinstance(value, list) or not value or not all(isinstance(each, str) for each in value):
        raise Refused("The capabilities to drop are a list of names that is not empty.")
    if not manner.fresh and "ALL" not in value:
        raise Refused("A list of capabilities to drop replaces the one before, so it must have 'ALL' in it.")


def _read_only(value: Any, manner: Manner) -> None:
    if value is not True and not (value is False and manner.fresh):
        raise Refused("A file system that is only read stays so.")


_profile = fields(
    {"type": only("RuntimeDefault", why="A profile that confines containers is only set to 'RuntimeDefault'.")}
)
container_security: Rule = fields(
    {
        "allowPrivilegeEscalation": off, "appArmorProfile": _profile,
        "capabilities": fields({"drop": _dropped, "add": only(why="Capabilities are not added to containers.")}),
        "privileged": off, "procMount": only("Default", why="'procMount' stays as it is."),
        "readOnlyRootFilesystem": _read_only, "runAsGroup": not_root, "runAsNonRoot": on, "runAsUser": not_root,
        "seLinuxOptions": never, "seccompProfile": _profile, "windowsOptions": never,
    }
)  # fmt: skip
pod_security: Rule = fields(
    {
        "appArmorProfile": _profile, "fsGroup": not_root,
        "fsGroupChangePolicy": only("OnRootMismatch", "Always", why="There is no such 'fsGroupChangePolicy'."),
        "runAsGroup": not_root, "runAsNonRoot": on, "runAsUser": not_root, "seLinuxOptions": never,
        "seccompProfile": _profile, "supplementalGroups": _not_root_groups,
        "supplementalGroupsPolicy": only("Strict", why="'supplementalGroupsPolicy' is only made strict."),
        "sysctls": never, "windowsOptions": never,
    }
)  # fmt: skip
