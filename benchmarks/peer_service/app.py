"""The HTTP side: `uvicorn --factory benchmarks.peer_service.app:create_app`, configured by `PEER_...` variables."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from benchmarks.peer_service.interactions import open_interactions
from benchmarks.peer_service.passages import open_store
from benchmarks.peer_service.turns import Assistant, Turn


class ChatRequest(BaseModel):
    """A message, and whether its answer is to be streamed."""

    message: str
    stream: bool = False


class ChatAnswer(BaseModel):
    """The outcome of a turn."""

    response: str
    conversation_id: str
    latency_ms: float
    intent: dict[str, Any]
    route: str
    citations: list[dict[str, Any]]


def describe(turn: Turn) -> ChatAnswer:
    """The answer of a turn that has ended."""
    return ChatAnswer(
        response=turn.response,
        conversation_id=turn.id,
        latency_ms=round((time.perf_counter() - turn.begun) * 1000, 2),
        intent=turn.intent.model_dump(),
        route=turn.tier,
        citations=turn.sources,
    )


async def write_events(assistant: Assistant, message: str) -> AsyncIterator[str]:
    """The turn as Server-Sent Events."""
    async for piece in assistant.stream(message):
        if isinstance(piece, Turn):
            yield f"event: done\ndata: {describe(piece).model_dump_json()}\n\n"
        else:
            yield f"event: token\ndata: {json.dumps({'text': piece})}\n\n"


async def chat(body: ChatRequest, request: Request) -> Response | ChatAnswer:
    """Answer a message, at once or piece by piece."""
    assistant: Assistant = request.app.state.assistant
    if body.stream:
        events: Response = StreamingResponse(write_events(assistant, body.message), media_type="text/event-stream")
        return events
    return describe(await assistant.answer(body.message))


async def live() -> dict[str, str]:
    """Say that it is there."""
    return {"status": "ok"}


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Open everything once."""
    database = await open_interactions(os.environ["PEER_DATABASE"])
    passages = await asyncio.to_thread(open_store, Path(os.environ["PEER_DOCUMENTS"]))
    classifies = os.environ.get("PEER_CLASSIFIES", "1") == "1"
    app.state.assistant = Assistant(
        os.environ["PEER_ADDRESS"], os.environ["PEER_MODEL"], passages, database, classifies
    )
    yield
    await database.close()


def create_app() -> FastAPI:
    """Make the application."""
    app = FastAPI(lifespan=lifespan)
    app.add_api_route("/v1/chat", chat, methods=["POST"], response_model=ChatAnswer)
    app.add_api_route("/livez", live)
    return app
