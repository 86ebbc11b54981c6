"""The running gateway's control socket: what the command line hands its work to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import TracebackType
from typing import Self
from urllib.parse import quote

import httpx
import msgspec

from agent_gateway.api.shapes import ApprovalList, ApprovalReport, ForgetReply, PersonaList, SearchReply
from agent_gateway.approval import Approval, HumanDecision
from agent_gateway.client import check, open_http, unreachable
from agent_gateway.errors import GatewayError, Unavailable
from agent_gateway.interfaces import CollectionInfo, Forgetting, IngestProgress, RouteExplanation
from agent_gateway.messages import Problem


class ProgressLine(IngestProgress, frozen=True, kw_only=True):
    """A line of an ingest's stream; the last one is a problem when it failed."""

    files: int = 0
    total: int = 0
    problem: Problem | None = None


class ControlClient:
    """The control socket of a gateway, opened with its token; implements `Administration`.

    Every call raises `GatewayError` with the code that the gateway gave, or `gateway_unreachable`.
    """

    def __init__(self, url: str, token: str) -> None:
        self.url = url
        self._http = open_http(url, token)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def ingest(self, path: str, collection: str) -> AsyncIterator[IngestProgress]:
        """Have the gateway ingest a file or folder, given by its absolute path."""
        body = {"path": path, "collection": collection}
        try:
            async with self._http.stream("POST", "/ingest", json=body, timeout=None) as response:
                await check(response)
                async for line in response.aiter_lines():
                    step = msgspec.json.decode(line, type=ProgressLine)
                    if step.problem is not None:
                        raise GatewayError(step.problem.detail, code=step.problem.code, hint=step.problem.hint)
                    yield step
                    if step.finished:
                        return
        except httpx.ConnectError as exc:
            raise unreachable(self.url) from exc
        except httpx.TransportError as exc:
            raise stopped() from exc
        raise stopped()

    async def drop(self, collection: str) -> None:
        """Remove a collection."""
        await self._ask("DELETE", f"/collections/{quote(collection, safe='')}")

    async def collections(self) -> tuple[CollectionInfo, ...]:
        """Every collection with its size."""
        return msgspec.json.decode(await self._ask("GET", "/collections"), type=tuple[CollectionInfo, ...])

    async def forget(self, which: Forgetting) -> int:
        """Forget remembered interactions, or only count them."""
        done = await self._ask("POST", "/forget", msgspec.to_builtins(which))
        return msgspec.json.decode(done, type=ForgetReply).matching

    async def search(self, query: str, collection: str, limit: int) -> SearchReply:
        """Passages of one collection, best first."""
        body = {"query": query, "collection": collection, "limit": limit}
        return msgspec.json.decode(await self._ask("POST", "/search", body), type=SearchReply)

    async def explain_route(self, persona: str, message: str) -> RouteExplanation:
        """How a persona would route a message."""
        body = {"persona": persona, "message": message}
        return msgspec.json.decode(await self._ask("POST", "/route", body), type=RouteExplanation)

    async def approvals(self, *, pending: bool) -> tuple[Approval, ...]:
        """The approvals, newest first."""
        found = await self._ask("GET", "/approvals?pending=1" if pending else "/approvals")
        return msgspec.json.decode(found, type=ApprovalList).approvals

    async def approval(self, approval_id: str) -> ApprovalReport:
        """One approval, and what became of it."""
        found = await self._ask("GET", f"/approvals/{quote(approval_id, safe='')}")
        return msgspec.json.decode(found, type=ApprovalReport)

    async def decide(self, approval_id: str, decision: HumanDecision, comment: str) -> ApprovalReport:
        """Decide on an approval."""
        body = {"decision": decision, **({"comment": comment} if comment.strip() else {})}
        found = await self._ask("POST", f"/approvals/{quote(approval_id, safe='')}", body)
        return msgspec.json.decode(found, type=ApprovalReport)

    async def personas(self) -> PersonaList:
        """Who is served, and who is not."""
        return msgspec.json.decode(await self._ask("GET", "/personas"), type=PersonaList)

    async def _ask(self, method: str, path: str, body: object = None) -> bytes:
        try:
            response = await self._http.request(method, path, json=body)
        except httpx.TransportError as exc:
            raise unreachable(self.url) from exc
        await check(response)
        return response.content


def stopped() -> Unavailable:
    """Make the error of an ingest that the gateway did not end."""
    return Unavailable(
        "the gateway went away before the ingest was complete",
        code="shutting_down",
        hint="run it again: what is done is not done twice",
    )
