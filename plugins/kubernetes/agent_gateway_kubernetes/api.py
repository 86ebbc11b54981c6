"""One API server as this plugin talks to it: JSON in, JSON out, every request past the guard, errors in words."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

import msgspec

import agent_gateway as ag

from .body_rules import FIELD_MANAGER
from .request_guard import check_request

JSON = "application/json"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"
APPLY = "application/apply-patch+yaml"
_MOST_BYTES = 8_000_000
_LONGEST_MESSAGE = 600

Query = tuple[tuple[str, str], ...]


class Write(msgspec.Struct, frozen=True, kw_only=True):
    """A request that changes something: a body for a path."""

    method: str
    path: str
    body: Any
    content_type: str = JSON
    query: Query = ()


class Api:
    """The API server of one cluster."""

    def __init__(self, cluster: ag.Cluster, seconds: float = 10.0) -> None:
        self._cluster = cluster
        self._seconds = seconds

    @property
    def cluster(self) -> str:
        """The cluster's name."""
        return self._cluster.name

    async def read(self, path: str, query: Query = (), *, accept: str = JSON, limit: int = _MOST_BYTES) -> Any:
        """Read JSON; raises `GatewayError` for anything but success."""
        response = await self.fetch(path, query, accept=accept, limit=limit)
        if len(response.body) >= limit:
            raise ag.InvalidInput(
                f"the answer is longer than {limit // 1_000_000} MB", hint="name an object, a namespace, or a selector"
            )
        return _decode(response.body)

    async def fetch(self, path: str, query: Query = (), *, accept: str, limit: int = _MOST_BYTES) -> ag.ApiResponse:
        """Read bytes, at most `limit` of them; raises `GatewayError` for anything but success."""
        request = ag.ApiRequest(method="GET", path=path, query=query, accept=accept)
        return await self._send(request, limit)

    async def ask(self, path: str, body: Mapping[str, Any]) -> Any:
        """Ask the API server about oneself."""
        request = ag.ApiRequest(method="POST", path=path, body=msgspec.json.encode(body))
        return _decode((await self._send(request, _MOST_BYTES)).body)

    async def write(self, write: Write, *, dry_run: bool) -> Any:
        """Change something, or with `dry_run` have the API server say what would come of it. Returns the object."""
        request = ag.ApiRequest(
            method=write.method,
            path=write.path,
            query=(*write.query, *self._terms(write, dry_run=dry_run)),
            body=msgspec.json.encode(write.body),
            content_type=write.content_type,
        )
        return _decode((await self._send(request, _MOST_BYTES)).body)

    async def watch(self, path: str, query: Query, seconds: float) -> AsyncIterator[bytes]:
        """Yield the lines of a watch, until it ends or the time is over."""
        whole = max(int(seconds), 1)
        terms = (*query, ("watch", "true"), ("timeoutSeconds", str(whole)))
        request = ag.ApiRequest(method="GET", path=path, query=terms)
        check_request(request)
        rest = b""
        async for chunk in self._cluster.stream(request, timeout=seconds + 1):
            *lines, rest = (rest + chunk).split(b"\n")
            if len(rest) > _MOST_BYTES:
                return
            for line in lines:
                yield line

    @staticmethod
    def _terms(write: Write, *, dry_run: bool) -> Query:
        if write.method == "DELETE":
            # Its options are in the body, where parameters are not looked at.
            if dry_run != (write.body.get("dryRun") == ["All"]):
                raise ValueError("a deletion says in its body whether it is a dry run")
            return ()
        return ((("dryRun", "All"),) if dry_run else ()) + (("fieldManager", FIELD_MANAGER),)

    async def _send(self, request: ag.ApiRequest, limit: int) -> ag.ApiResponse:
        check_request(request)
        response = await self._cluster.send(request, timeout=self._seconds, limit=limit)
        if response.status >= 300:
            raise self._error(response)
        return response

    def _error(self, response: ag.ApiResponse) -> ag.GatewayError:
        """What the API server refused, in its own words."""
        message = _message(response) or f"the API server of '{self.cluster}' answered {response.status}"
        match response.status:
            case 401:
                return ag.Forbidden(f"the cluster '{self.cluster}' does not know the gateway's credentials")
            case 403:
                hint = "the account the gateway uses there needs a role that allows it"
                return ag.Forbidden(message, code="cluster_forbidden", hint=hint)
            case 404 | 410:
                return ag.NotFound(message)
            case 409:
                return ag.Conflict(message)
            case 429 | 500 | 502 | 503 | 504:
                return ag.Unavailable(message)
        return ag.InvalidInput(message)


def _message(response: ag.ApiResponse) -> str:
    try:
        status = msgspec.json.decode(response.body)
    except msgspec.DecodeError:
        return ag.excerpt(response.body.decode(errors="replace"), 200)
    message = status.get("message") if isinstance(status, dict) else None
    return ag.excerpt(str(message or ""), _LONGEST_MESSAGE)


def _decode(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except msgspec.DecodeError as exc:
        raise ag.Unavailable("the API server's answer is not JSON") from exc
