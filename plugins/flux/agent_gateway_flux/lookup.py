"""Finds the object that a name means."""

from __future__ import annotations

import re

import agent_gateway as ag

from .api import FluxApi
from .kinds import STEPS, Kind, find_kind
from .objects import FluxObject

_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")


def check_name(name: str, what: str = "name") -> None:
    """`InvalidInput` for what no object can be called."""
    if not _NAME.fullmatch(name):
        raise ag.InvalidInput(f"'{name[:80]}' is no {what}: lowercase letters, digits, dashes and dots")


async def find(api: FluxApi, kind: str, name: str, namespace: str) -> FluxObject:
    """The one object of a name. Without a kind: a Kustomization, else a HelmRelease, else a source.

    Without a namespace all are searched. `InvalidInput` names all that could be meant, `NotFound` where it was looked.
    """
    check_name(name)
    if namespace:
        check_name(namespace, "namespace")
    steps = ((find_kind(kind),),) if kind else STEPS
    installed = False
    for kinds in steps:
        served = [each for each in kinds if await api.find_path(each)]
        installed = installed or bool(served)
        found = [each for one in served for each in await candidates(api, one, name, namespace)]
        if len(found) > 1:
            places = ", ".join(each.title for each in found)
            raise ag.InvalidInput(f"'{name}' is several objects: {places}", hint="name the kind and the namespace")
        if found:
            return found[0]
    what = find_kind(kind).name if kind else "object of Flux"
    if not installed:
        raise ag.NotFound(f"the cluster '{api.cluster}' does not serve any {what}", code="flux_not_installed",
                          hint="is Flux installed there?")  # fmt: skip
    where = f"in the namespace '{namespace}'" if namespace else "in any namespace"
    raise ag.NotFound(f"there is no {what} '{name}' {where} of '{api.cluster}'", hint="flux_get lists what there is")


async def candidates(api: FluxApi, kind: Kind, name: str, namespace: str) -> list[FluxObject]:
    """The objects of one kind and name."""
    if not namespace:
        return await api.list(kind, name=name)
    try:
        return [await api.read(kind, namespace, name)]
    except ag.NotFound:
        return []
