"""A command on one cluster: its kinds resolved, its objects found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import agent_gateway as ag

from .ages import parse_span
from .api import Api
from .discovery import Discovery
from .grammar.command import Command, ResourceRef
from .kinds import Kinds
from .listing import Wanted, read_objects
from .resources import Resource

DEFAULT_NAMESPACE = "default"


class Scope:
    """What carries a command out: the command, the API server, and the kinds that are there."""

    def __init__(self, command: Command, api: Api, discovery: Discovery) -> None:
        self.command = command
        self.api = api
        self.discovery = discovery

    @property
    def namespace(self) -> str:
        """The namespace of the command, empty for all of them."""
        return "" if self.command.all_namespaces else self.command.namespace or DEFAULT_NAMESPACE

    async def kinds(self) -> Kinds:
        """The kinds of the cluster."""
        return await self.discovery.kinds(self.api)

    async def resource(self, ref: ResourceRef) -> Resource:
        """The kind that a command means, as this cluster has it; `NotFound`."""
        word = ref.kind
        if ref.group:
            word = f"{ref.kind}.{ref.version}.{ref.group}" if ref.version else f"{ref.kind}.{ref.group}"
        found = await self.discovery.find(self.api, word)
        if ref.known and found.group != ref.group:
            # What was judged must be what is asked: another kind may answer to the same word.
            raise ag.NotFound(f"the cluster '{self.api.cluster}' has no kind '{ref.full_kind}'")
        return found

    async def wanted(self) -> list[Wanted]:
        """The objects that the command names, kind by kind, in its order."""
        names: dict[str, list[str]] = {}
        refs: dict[str, ResourceRef] = {}
        for ref in self.command.resources:
            refs.setdefault(ref.full_kind, ref)
            names.setdefault(ref.full_kind, []).extend([ref.name] if ref.name else [])
        found = []
        for key, ref in refs.items():
            resource = await self.resource(ref)
            found.append(
                Wanted(
                    resource=resource,
                    namespace=self.namespace if resource.namespaced else "",
                    names=tuple(dict.fromkeys(names[key])),
                    selector=self.option("selector"),
                    field_selector=self.option("field-selector"),
                    # A patch of the scale is one of the object's own replicas.
                    subresource="" if self.command.verb == "patch" else self.option("subresource"),
                    ignore_missing=self.command.flag("ignore-not-found"),
                )
            )
        return found

    async def objects(self) -> list[tuple[Resource, dict[str, Any]]]:
        """The objects themselves; `NotFound` when one that is named is not there, or there are none."""
        found = [
            (each.resource, one) for each in await self.wanted() for one in (await read_objects(self.api, each)).objects
        ]
        if not found and not self.command.flag("ignore-not-found"):
            raise ag.NotFound("there is no object that the command means")
        return found

    def option(self, name: str, default: str = "") -> str:
        """An option's value."""
        return self.command.options.get(name, default)

    def number(self, name: str, default: int = 0) -> int:
        """An option's value as a number; `InvalidInput`."""
        text = self.option(name)
        if not text:
            return default
        if not text.lstrip("-").isdecimal():
            raise ag.InvalidInput(f"--{name} must be a number, not {text[:40]!r}")
        return int(text)

    def seconds(self, name: str, default: int = 0) -> int:
        """An option's value as a length of time in seconds; `InvalidInput`."""
        text = self.option(name)
        if not text:
            return default
        found = int(text) if text.isdecimal() else parse_span(text)
        if found is None:
            raise ag.InvalidInput(f"--{name} must be a time like 30s or 1h, not {text[:40]!r}")
        return found

    def listed(self, name: str) -> Sequence[str]:
        """An option's values, separated by commas or given several times."""
        return tuple(part for value in self.command.values(name) for part in value.split(",") if part)
