"""Which kinds a cluster serves: read as far as a question needs it, kept for a while, found by any of their names."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Sequence
from typing import Any

import agent_gateway as ag

from .api import Api
from .kinds import Kinds, parse_kinds
from .resources import Resource

_FRESH_SECONDS = 300.0
#: A name that is not known makes everything be read anew, but not more often than this.
_PATIENCE_SECONDS = 10.0
_PARALLEL = 8
#: Its kinds moved elsewhere long ago.
_OLD_GROUPS = frozenset({"extensions"})
_FIRST = "v1"


class Survey:
    """What was read of one cluster at one time; each document is read once."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._documents: dict[str, asyncio.Task[dict[str, Any]]] = {}
        self._groups: asyncio.Task[Any] | None = None
        self._gate = asyncio.Semaphore(_PARALLEL)
        self.begun = time.monotonic()

    async def versions(self) -> dict[str, list[str]]:
        """Group -> its versions as objects name them (`apps/v1`), the preferred one first."""
        if self._groups is None:
            self._groups = _begin(self._api.read("/apis"))
        groups = [dict(each) for each in (await asyncio.shield(self._groups)).get("groups") or []]
        groups.sort(key=lambda group: group["name"] in _OLD_GROUPS)
        return {"": [_FIRST], **{group["name"]: _in_order(group) for group in groups}}

    async def kinds(self, versions: Sequence[str]) -> Kinds:
        """The kinds of some versions."""
        documents = await asyncio.gather(*(self._document(version) for version in versions))
        return parse_kinds(dict(zip(versions, documents, strict=True)))

    async def _document(self, version: str) -> dict[str, Any]:
        if version not in self._documents:
            self._documents[version] = _begin(self._read(version))
        return await asyncio.shield(self._documents[version])

    async def _read(self, version: str) -> dict[str, Any]:
        async with self._gate:
            try:
                return dict(await self._api.read(f"/apis/{version}" if "/" in version else f"/api/{version}"))
            except (ag.Unavailable, ag.NotFound) as error:
                # An extension whose own server is down takes nothing else with it.
                if version == _FIRST or error.code == "cluster_unreachable":
                    raise
                return {}


class Discovery:
    """The kinds of every cluster, read when they are first needed."""

    def __init__(self) -> None:
        self._surveys: dict[str, Survey] = {}

    async def kinds(self, api: Api) -> Kinds:
        """All kinds of a cluster."""
        survey = self._survey(api, _FRESH_SECONDS)
        try:
            versions = [version for those in (await survey.versions()).values() for version in those]
            return await survey.kinds(versions)
        except ag.GatewayError:
            self._forget(api, survey)
            raise

    async def first_kinds(self, api: Api) -> Kinds:
        """The kinds of the first group alone."""
        survey = self._survey(api, _FRESH_SECONDS)
        try:
            return await survey.kinds([_FIRST])
        except ag.GatewayError:
            self._forget(api, survey)
            raise

    async def find(self, api: Api, word: str) -> Resource:
        """A kind by any of its names, with or without version and group; `NotFound`."""
        name, _, group = word.lower().partition(".")
        for patience in (_FRESH_SECONDS, _PATIENCE_SECONDS):
            survey = self._survey(api, patience)
            try:
                found = await (_find_in_group(survey, name, group) if group else _find_anywhere(survey, name))
            except ag.GatewayError:
                self._forget(api, survey)
                raise
            if found is not None:
                return found
        hint = "`kubectl api-resources` lists what it has"
        raise ag.NotFound(f"the cluster '{api.cluster}' has no kind '{word[:80]}'", hint=hint)

    async def of_object(self, api: Api, api_version: str, kind: str) -> Resource:
        """The kind of an object that says what it is; `NotFound`."""
        for patience in (_FRESH_SECONDS, _PATIENCE_SECONDS):
            survey = self._survey(api, patience)
            versions = [version for those in (await survey.versions()).values() for version in those]
            found = (await survey.kinds([api_version] if api_version in versions else [])).of_object(api_version, kind)
            if found is not None:
                return found
        hint = "`kubectl api-versions` lists what it has"
        raise ag.NotFound(f"the cluster '{api.cluster}' has no kind '{kind[:80]}' in '{api_version[:80]}'", hint=hint)

    def _survey(self, api: Api, patience: float) -> Survey:
        survey = self._surveys.get(api.cluster)
        if survey is None or time.monotonic() - survey.begun > patience:
            survey = self._surveys[api.cluster] = Survey(api)
        return survey

    def _forget(self, api: Api, survey: Survey) -> None:
        """What could not be read is tried again the next time."""
        if self._surveys.get(api.cluster) is survey:
            del self._surveys[api.cluster]


def _begin(work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
    """Start what several may wait for; its error is theirs, and nobody's when all have left."""
    task = asyncio.create_task(work)
    task.add_done_callback(lambda done: done.cancelled() or done.exception())
    return task


async def _find_in_group(survey: Survey, name: str, group: str) -> Resource | None:
    """`name.group`, or `name.version.group`."""
    for known, versions in (await survey.versions()).items():
        named = [version for version in versions if known and group in {known, _dotted(version)}]
        if named:
            return (await survey.kinds(named)).find(name)
    return None


async def _find_anywhere(survey: Survey, name: str) -> Resource | None:
    found = (await survey.kinds([_FIRST])).find(name)
    if found is not None:
        return found
    versions = [version for those in (await survey.versions()).values() for version in those]
    return (await survey.kinds(versions)).find(name)


def _dotted(version: str) -> str:
    """`apps/v1` as kubectl writes it behind a kind: `v1.apps`."""
    group, _, number = version.rpartition("/")
    return f"{number}.{group}"


def _in_order(group: dict[str, Any]) -> list[str]:
    preferred = group["preferredVersion"]["groupVersion"]
    return [preferred, *(each["groupVersion"] for each in group["versions"] if each["groupVersion"] != preferred)]
