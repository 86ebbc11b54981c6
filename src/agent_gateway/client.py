"""A persona over HTTP, as the command line and the test kit talk to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from types import TracebackType
from typing import Self, TypeAlias

import httpx
import msgspec

from agent_gateway.errors import GatewayError, Unavailable
from agent_gateway.events import Event
from agent_gateway.messages import Answer

#: Called with the parts that a starting gateway is still waiting for, and their states.
Waiting: TypeAlias = Callable[[Mapping[str, str]], None]

#: A gateway says something every 15 seconds, if only that it is still there.
SILENCE_SECONDS = 60.0
CONNECT_SECONDS = 5.0
#: Between two looks at a gateway that starts.
READY_SECONDS = 0.05


class Refusal(msgspec.Struct, frozen=True):
    """What is read of a problem document."""

    detail: str
    code: str = "gateway_error"
    hint: str = ""


class Readiness(msgspec.Struct, frozen=True):
    """What is read of a readiness report."""

    status: str
    parts: dict[str, str] = {}


def open_http(base_url: str, token: str = "") -> httpx.AsyncClient:
    """Make a client of one address; proxies of the environment are not for loopback."""
    headers = {"authorization": f"Bearer {token}"} if token else {}
    timeout = httpx.Timeout(SILENCE_SECONDS, connect=CONNECT_SECONDS)
    return httpx.AsyncClient(base_url=base_url, headers=headers, timeout=timeout, trust_env=False)


class PersonaClient:
    """One persona at its address, such as `http://127.0.0.1:30120`; an asynchronous context manager.

    `token`: an API key, or another bearer token that the gateway knows.
    """

    def __init__(self, base_url: str, token: str = "") -> None:
        self.base_url = base_url
        self._http = open_http(base_url, token)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def ask(self, message: str, conversation_id: str | None = None) -> Answer:
        """Send a message and wait for the answer; `GatewayError` when it is refused or nobody is there."""
        try:
            response = await self._http.post("/v1/chat", json=_body(message, conversation_id))
        except httpx.TransportError as exc:
            raise unreachable(self.base_url) from exc
        await check(response)
        return msgspec.json.decode(response.content, type=Answer)

    async def stream(self, message: str, conversation_id: str | None = None) -> AsyncIterator[Event]:
        """Send a message and receive its events up to the terminal one; raises as `ask` does.

        `Unavailable` with code `shutting_down` when the gateway goes before the end; the run can be followed later.
        """
        request = self._http.build_request(
            "POST", "/v1/chat", json=_body(message, conversation_id), headers={"accept": "text/event-stream"}
        )
        try:
            response = await self._http.send(request, stream=True)
        except httpx.TransportError as exc:
            raise unreachable(self.base_url) from exc
        try:
            await check(response)
            async for event in read_events(response.aiter_lines()):
                yield event
                if event.terminal:
                    return
        except httpx.TransportError as exc:
            raise cut_short() from exc
        finally:
            await response.aclose()
        raise cut_short()


async def read_events(lines: AsyncIterator[str]) -> AsyncIterator[Event]:
    """Read Server-Sent Events that carry a number; comments and what belongs to the connection are skipped."""
    fields: dict[str, str] = {}
    async for line in lines:
        if line:
            name, _, value = line.partition(":")
            fields[name] = value.removeprefix(" ")
            continue
        if "id" in fields and "event" in fields:
            yield Event(seq=int(fields["id"]), type=fields["event"], data=fields.get("data", "").encode())
        fields = {}


async def wait_until_ready(url: str, waiting: Waiting) -> None:
    """Wait until the gateway that listens at an address can answer, telling `waiting` what is not ready yet.

    `Unavailable` when nobody is there, when it shuts down, and when a part that is needed has failed.
    """
    async with open_http(url) as http:
        while True:
            try:
                response = await http.get("/readyz")
            except httpx.TransportError as exc:
                raise unreachable(url) from exc
            if response.is_success:
                return
            parts = read_parts(response)
            failed = [f"{name} {state}" for name, state in parts.items() if state.startswith("failed")]
            if failed:
                raise Unavailable(
                    f"the gateway cannot answer: {'; '.join(failed)}", code="not_ready", hint="see its log"
                )
            waiting(parts)
            await asyncio.sleep(READY_SECONDS)


def read_parts(response: httpx.Response) -> dict[str, str]:
    """Read which parts of a gateway are not ready yet; `Unavailable` when it is shutting down."""
    report = msgspec.json.decode(response.content, type=Readiness)
    if report.status == "draining":
        raise Unavailable("the gateway is shutting down", code="shutting_down", hint="try again in a moment")
    informative = ("ready", "note:")
    return {name: state for name, state in report.parts.items() if not state.startswith(informative)}


async def check(response: httpx.Response) -> None:
    """Raise `GatewayError` for a response that is a problem."""
    if response.is_success:
        return
    body = await response.aread()
    try:
        refusal = msgspec.json.decode(body, type=Refusal)
    except msgspec.DecodeError:
        refusal = Refusal(detail=f"the gateway answered with status {response.status_code}")
    if response.status_code == 503:
        raise Unavailable(refusal.detail, code=refusal.code, hint=refusal.hint)
    raise GatewayError(refusal.detail, code=refusal.code, hint=refusal.hint)


def unreachable(url: str) -> Unavailable:
    """Make the error of a gateway that does not answer."""
    return Unavailable(f"no gateway answers at {url}", code="gateway_unreachable", hint="is it running?")


def cut_short() -> Unavailable:
    """Make the error of a stream without an end."""
    return Unavailable(
        "the gateway went away before the answer was complete",
        code="shutting_down",
        hint="the answer is in the conversation once the gateway is back",
    )


def _body(message: str, conversation_id: str | None) -> dict[str, str]:
    body = {"message": message}
    return body if conversation_id is None else {**body, "conversation_id": conversation_id}
