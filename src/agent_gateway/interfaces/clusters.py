"""Kubernetes clusters, as the plugins that work on them use them: requests to their API servers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Protocol

import msgspec


class ApiRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One request to an API server. `path` starts with a slash and has no query; `query` is unencoded, in order."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    content_type: str = "application/json"
    accept: str = "application/json"


class ApiResponse(msgspec.Struct, frozen=True, kw_only=True):
    """What the API server answered, whatever its status."""

    status: int
    body: bytes
    content_type: str = ""
    headers: Mapping[str, str] = {}


class Cluster(Protocol):
    """One cluster, reached with the credentials of its kubeconfig context or of the pod's service account."""

    @property
    def name(self) -> str:
        """What the gateway calls it."""
        ...

    async def send(self, request: ApiRequest, *, timeout: float = 10.0, limit: int = 8_000_000) -> ApiResponse:
        """Send a request and read the answer, at most `limit` bytes of it (the rest is cut off).

        `Unavailable` (code `cluster_unreachable`) when the API server cannot be reached, `InvalidInput` (code
        `cluster_credentials`) when the credentials cannot be used. An answer with an error status is an answer.
        """
        ...

    def stream(self, request: ApiRequest, *, timeout: float) -> AsyncIterator[bytes]:
        """Send a request and yield its body as it comes (a watch), until the server ends it or the time is over."""
        ...


class Clusters(Protocol):
    """The clusters of this gateway."""

    @property
    def names(self) -> Sequence[str]:
        """All of them, the default first; empty when none is configured."""
        ...

    def get(self, name: str = "") -> Cluster:
        """The cluster, the default one for an empty name; `NotFound` names those there are, or says how to add one."""
        ...
