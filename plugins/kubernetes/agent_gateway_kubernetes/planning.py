"""Commands that change objects which are there: as changes, one for each object."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

import agent_gateway as ag

from . import plan_metadata, plan_removals, plan_workloads
from .api import JSON_PATCH, MERGE, STRATEGIC
from .changes import Change
from .hidden_values import check_tests
from .plan_metadata import Taint
from .plan_undo import undo as undo_one
from .resources import NODES, Resource
from .scope import Scope

_PATCH_KINDS = {"strategic": STRATEGIC, "merge": MERGE, "json": JSON_PATCH}


async def scale(scope: Scope) -> list[Change]:
    """Another number of replicas."""
    replicas = scope.number("replicas", -1)
    current = scope.number("current-replicas", -1)
    expected = current if current >= 0 else None
    return await _each(scope, lambda kind, found: plan_workloads.scale(kind, found, replicas, expected))


async def restart(scope: Scope) -> list[Change]:
    """All pods anew."""
    return await _each(scope, plan_workloads.restart)


async def pause(scope: Scope) -> list[Change]:
    """The rollout held, or let go on."""
    paused = scope.command.verb == "rollout pause"
    return await _each(scope, lambda kind, found: plan_workloads.pause(kind, found, paused=paused))


async def undo(scope: Scope) -> list[Change]:
    """Back to an earlier revision."""
    number = scope.number("to-revision")
    return [await undo_one(scope.api, kind, found, number) for kind, found in await scope.objects()]


async def set_image(scope: Scope) -> list[Change]:
    """Other images."""
    images = {key: value for key, value in _assignments(scope.command.words).items() if value is not None}
    return await _each(scope, lambda kind, found: plan_workloads.set_images(kind, found, images))


async def set_environment(scope: Scope) -> list[Change]:
    """Environment variables set and removed."""
    given = _assignments((*scope.command.words, *scope.command.values("env")))
    values = {key: value for key, value in given.items() if value is not None}
    removed = [key for key, value in given.items() if value is None]
    container = scope.option("containers", "*")
    return await _each(
        scope, lambda kind, found: plan_workloads.set_environment(kind, found, container, values, removed)
    )


async def set_resources(scope: Scope) -> list[Change]:
    """Other requests and limits."""
    room = {
        part: {key: value for key, value in _assignments(scope.listed(part)).items() if value is not None}
        for part in ("limits", "requests")
        if scope.option(part)
    }
    container = scope.option("containers", "*")
    return await _each(scope, lambda kind, found: plan_workloads.set_resources(kind, found, container, room))


async def set_metadata(scope: Scope) -> list[Change]:
    """Labels or annotations set and removed."""
    part: Literal["labels", "annotations"] = "labels" if scope.command.verb == "label" else "annotations"
    values, overwrite = _assignments(scope.command.words), scope.command.flag("overwrite")
    return await _each(
        scope, lambda kind, found: plan_metadata.set_metadata(kind, found, part, values, overwrite=overwrite)
    )


async def patch(scope: Scope) -> list[Change]:
    """What the patch says."""
    content_type = _PATCH_KINDS[scope.option("type", "strategic")]
    body = scope.command.patch

    def plan(kind: Resource, found: Mapping[str, Any]) -> Change:
        if content_type == JSON_PATCH:
            check_tests(found, body)
        return plan_workloads.change_of(kind, found, body, content_type=content_type)

    return await _each(scope, plan)


async def remove(scope: Scope) -> list[Change]:
    """Objects deleted."""
    grace = scope.number("grace-period", -1)
    seconds = grace if grace > 0 else None
    if scope.command.from_text:
        return [await _removal(scope, each, seconds) for each in scope.command.objects]
    return await _each(scope, lambda kind, found: plan_removals.remove(kind, found, seconds))


async def _removal(scope: Scope, manifest: Mapping[str, Any], seconds: int | None) -> Change:
    kind, metadata = str(manifest.get("kind", "")), manifest.get("metadata") or {}
    resource = await scope.discovery.of_object(scope.api, str(manifest.get("apiVersion", "")), kind)
    namespace = str(metadata.get("namespace") or scope.namespace)
    found = dict(await scope.api.read(resource.path(namespace, str(metadata.get("name", "")))))
    return plan_removals.remove(resource, found, seconds)


async def cordon(scope: Scope) -> list[Change]:
    """Nodes closed to new pods, or opened."""
    closed = scope.command.verb == "cordon"
    return await _each(scope, lambda kind, found: plan_metadata.cordon(kind, found, closed=closed))


async def taint(scope: Scope) -> list[Change]:
    """Taints of nodes set and removed."""
    given = [_taint(word) for word in scope.command.words if not word.endswith("-")]
    removed = [_taint(word.removesuffix("-")) for word in scope.command.words if word.endswith("-")]
    overwrite = scope.command.flag("overwrite")
    return await _each(scope, lambda kind, found: plan_metadata.taint(kind, found, given, removed, overwrite=overwrite))


async def drain(scope: Scope) -> list[Change]:
    """One node emptied."""
    names = [ref.name for ref in scope.command.resources]
    if len(names) != 1:
        raise ag.InvalidInput("one node is drained at a time")
    return await plan_removals.drain(
        scope.api,
        (await scope.discovery.first_kinds(scope.api)).eviction,
        dict(await scope.api.read(NODES.path(name=names[0]))),
        ignore_daemonsets=scope.command.flag("ignore-daemonsets"),
        delete_emptydir=scope.command.flag("delete-emptydir-data"),
    )


async def _each(scope: Scope, plan: Callable[[Resource, Mapping[str, Any]], Change]) -> list[Change]:
    return [plan(kind, found) for kind, found in await scope.objects()]


def _assignments(words: Any) -> dict[str, str | None]:
    """What `a=b` sets, and `a-` removes (None)."""
    given: dict[str, str | None] = {}
    for word in words:
        key, separator, value = str(word).partition("=")
        given[key if separator else key.removesuffix("-")] = value if separator else None
    return given


def _taint(word: str) -> Taint:
    """`key=value:Effect`, `key:Effect` or `key`."""
    left, _, effect = word.partition(":")
    key, _, value = left.partition("=")
    return Taint(key, value, effect)
