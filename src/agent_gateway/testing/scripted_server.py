"""A model server that says what it was told to, over real HTTP: OpenAI's API and Ollama's own."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

import msgspec

from agent_gateway.testing.http_exchange import BadRequest, RequestHead, read_body, read_head
from agent_gateway.testing.model_connection import ModelConnection
from agent_gateway.testing.model_questions import ModelHouse, wire_for
from agent_gateway.testing.model_replies import CHATS, Api, Fault, ModelCall, Replies, Reply, ReplyScript
from agent_gateway.testing.model_scripts import End, Script, write_script
from agent_gateway.testing.openai_wire import REFUSALS, write_error

HOST = "127.0.0.1"
#: Connections that may wait to be accepted.
BACKLOG = 1024
TOLD: tuple[Reply, ...] = (Reply("This is a scripted answer."),)


class ScriptedModelServer:
    """Serves models that give scripted replies, on loopback; an asynchronous context manager.

    `replies` are taken by chats one after the other, the last one again and again, or made by a function of the
    `ModelCall`. `requests` are the chats that were asked for, `probes` all other requests, both in order. A request
    without `key`, if there is one, or for none of the `models`, is refused and takes no reply. `window` is in tokens.
    An error in a function that makes replies is raised when the block is left.
    """

    def __init__(
        self,
        models: Sequence[str] = ("llama3:8b",),
        replies: Replies = TOLD,
        *,
        key: str | None = None,
        port: int = 0,
        window: int = 8192,
        capabilities: Sequence[str] = ("completion", "tools"),
        version: str = "0.12.6",
    ) -> None:
        self.house = ModelHouse(
            models=tuple(models), key=key, window=window, capabilities=tuple(capabilities), version=version
        )
        self.requests: list[ModelCall] = []
        self.probes: list[ModelCall] = []
        self._replies = ReplyScript(replies)
        self._port = port
        self._server: asyncio.Server | None = None
        self._connections: set[ModelConnection] = set()
        self._errors: list[BaseException] = []

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()
        if error is None and self._errors:
            raise self._errors[0]

    @property
    def url(self) -> str:
        """Its address, and Ollama's; known once it was started."""
        return f"http://{HOST}:{self._port}"

    @property
    def openai_url(self) -> str:
        """The address of OpenAI's API."""
        return f"{self.url}/v1"

    @property
    def open_calls(self) -> int:
        """How many chats are being answered."""
        return sum(connection.call is not None for connection in self._connections)

    async def start(self) -> None:
        """Listen; after `stop`, on the same port again. `OSError` when somebody else has it."""
        if self._server is None:
            loop = asyncio.get_running_loop()
            self._server = await loop.create_server(self._connect, HOST, self._port, backlog=BACKLOG)
            self._port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Refuse connections and cut those there are, as a killed server does; nothing when it does not listen."""
        if self._server is not None:
            self._server.close()
            self._server = None
            await asyncio.gather(*(connection.cut() for connection in tuple(self._connections)))

    def _connect(self) -> ModelConnection:
        return ModelConnection(self._converse, self._connections)

    async def _converse(self, connection: ModelConnection) -> None:
        """Answer the requests on a connection one after the other."""
        connection.task.add_done_callback(self._keep_error)
        # One that was being accepted when the server stopped is dropped.
        more = self._server is not None
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                while more:
                    more = await self._answer_next(connection)
        finally:
            connection.close()

    def _keep_error(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()):
            self._errors.append(error)

    async def _answer_next(self, connection: ModelConnection) -> bool:
        """Read a request and answer it; False when it was the last on this connection."""
        try:
            head = await read_head(connection.reader)
            if head is None:
                return False
            chats = head.method == "POST" and head.path in CHATS
            unread = chats and self._replies.leads_nowhere()
            call = self._record(head, b"" if unread else await read_body(connection.reader, connection.writer, head))
        except BadRequest as error:
            await connection.play(
                replace(write_error(error.status, "BadRequestError", error.status, str(error)), closes=True)
            )
            return False
        if not chats:
            script = self.house.tell(head.method, call)
            await connection.play(replace(script, steps=()) if head.method == "HEAD" else script)
            return not head.closes
        if not connection.begin(call):
            return False
        refused = None if unread else self.house.unwelcome(call)
        reply = Reply(fault=refused) if refused else self._replies.take(call)
        return await answer(connection, call, reply) and not head.closes

    def _record(self, head: RequestHead, raw: bytes) -> ModelCall:
        """Keep a request; `BadRequest` when its body is not a JSON object."""
        try:
            body = msgspec.json.decode(raw, type=dict[str, Any]) if raw else {}
        except msgspec.DecodeError as error:
            raise BadRequest(400, f"the body is not a JSON object: {error}") from error
        api: Api = "openai" if head.path.startswith("/v1/") else "ollama"
        call = ModelCall(head.path, head.headers, body, api, asyncio.get_running_loop().time())
        (self.requests if head.method == "POST" and head.path in CHATS else self.probes).append(call)
        return call


async def answer(connection: ModelConnection, call: ModelCall, reply: Reply) -> bool:
    """Give a reply to a chat; False when the connection ends with it."""
    if reply.fault in {Fault.BLACK_HOLE, Fault.NO_HEADERS}:
        await connection.stay_silent()
    if reply.delay:
        await asyncio.sleep(reply.delay)
    script = write_answer(call, reply)
    await connection.play(script, reply.pause)
    return not script.closes and script.end is not End.RESET


def write_answer(call: ModelCall, reply: Reply) -> Script:
    """The script of a reply: an answer, or why there is none."""
    wire = wire_for(call)
    fits = {Fault.NO_TOOLS: bool(call.body.get("tools")), Fault.NO_SCHEMA: call.has_schema}
    if reply.fault not in REFUSALS or not fits.get(reply.fault, True):
        return write_script(wire, call, reply)
    script = wire.refusal(reply.fault)
    if reply.fault is Fault.RATE_LIMIT_RETRY_AFTER:
        return replace(script, headers=(("retry-after", str(reply.retry_after)),))
    return script
