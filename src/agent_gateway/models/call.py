"""One request to one model, and what came of it."""

from __future__ import annotations

import msgspec

from agent_gateway.completion import ChatModel, CompletionChunk, CompletionRequest, ModelInfo, ModelSpec, Usage
from agent_gateway.errors import ModelFailed
from agent_gateway.models.failures import stream_cut
from agent_gateway.models.naming import subject
from agent_gateway.models.pricing import cost_of
from agent_gateway.models.timing import open_stream
from agent_gateway.models.tokens import texts_of

#: Tokens that the format of a conversation adds to each message.
_MESSAGE_TOKENS = 4


class Call:
    """The stream of one answer, under time limits. It is begun at once; `close` must follow."""

    def __init__(
        self, chat: ChatModel, spec: ModelSpec, info: ModelInfo, request: CompletionRequest, deadline: float
    ) -> None:
        self.finish: CompletionChunk | None = None
        self._spec = spec
        self._info = info
        self._request = request
        self._texts: list[str] = []
        self._said: Usage | None = None
        self._stream = open_stream(chat, request, spec.timeouts, deadline, subject(spec))

    @property
    def answered(self) -> bool:
        """Whether anything came from the server."""
        return self._stream.spoke

    async def next(self) -> str | None:
        """The next piece of text; None at the end of the answer, when `finish` is there. `ModelFailed` otherwise."""
        while True:
            try:
                chunk = await self._stream.next()
            except ModelFailed:
                if self.finish is None:
                    raise
                return None  # the answer was complete before its server went astray
            if chunk is None and self.finish is None:
                raise stream_cut(self._spec)
            if chunk is None:
                return None
            self._said = chunk.usage or self._said
            if self.finish is None:
                self._note_finish(chunk)
                if chunk.text:
                    self._texts.append(chunk.text)
                    return chunk.text

    def usage(self) -> Usage:
        """Tokens and cost of the call, as far as it got; nothing when nothing came."""
        said = self._said
        if said is None and not self.answered:
            return Usage()
        if said is None:
            said = Usage(prompt_tokens=self._asked(), completion_tokens=self._told(), estimated=True)
        cost = cost_of(self._spec.price, said.prompt_tokens, said.completion_tokens)
        return msgspec.structs.replace(said, cost=cost)

    async def close(self) -> None:
        """Cut what still streams."""
        await self._stream.close()

    def _note_finish(self, chunk: CompletionChunk) -> None:
        if chunk.finish is not None:
            self.finish = chunk
            self._stream.linger()  # for the usage, which some send last

    def _asked(self) -> int:
        count, request = self._info.count, self._request
        return sum(map(count, texts_of(request))) + _MESSAGE_TOKENS * len(request.messages)

    def _told(self) -> int:
        requests = self.finish.tool_requests if self.finish is not None else ()
        return self._info.count("".join([*self._texts, *(each.name + each.arguments for each in requests)]))
