"""What is kept of each model between calls: its connection, its place in the order of things, what it refused."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable

import structlog

from agent_gateway.completion import ChatModel, ModelInfo, ModelSpec, ToolMode
from agent_gateway.config.models import BreakerSettings
from agent_gateway.errors import ModelFailed
from agent_gateway.messages import Tier
from agent_gateway.models.breaker import Breaker
from agent_gateway.models.fair_queue import FairQueue
from agent_gateway.models.naming import subject
from agent_gateway.models.timing import CLOSING_SECONDS
from agent_gateway.models.tokens import counter_for

TOO_LONG = "model_context_too_long"
TOOLS_REFUSED = "model_tools_unsupported"
SCHEMA_REFUSED = "model_schema_unsupported"
NOT_OPENED = "model_not_opened"
#: A window that proved too large is taken to be so much smaller, never less than the settings allow.
_SHRINK, _SMALLEST_WINDOW = 0.7, 512

log = structlog.get_logger(__name__)


class Connection:
    """One model at one address. `breaker` and `queue` may be shared with other settings of the same model there."""

    def __init__(
        self, spec: ModelSpec, breaker: Breaker, queue: FairQueue, connect: Callable[[ModelSpec], ChatModel]
    ) -> None:
        self.spec = spec
        self.breaker = breaker
        self.queue = queue
        self.counter = counter_for(spec)
        self._connect = connect
        self._opening: asyncio.Task[ChatModel] | None = None
        self._window = spec.window
        self._tools = _tool_mode(spec)
        self._schemas = True

    @property
    def name(self) -> str:
        """The model, and where."""
        return subject(self.spec)

    def explain(self, error: ModelFailed) -> str:
        """What went wrong, in a clause that begins with the model."""
        detail = error.detail.rstrip(".")
        return detail if self.name in detail else f"{self.name}: {detail}"

    def info(self, tier: Tier) -> ModelInfo:
        """What a request must know of this model, with what it has refused so far."""
        return ModelInfo(
            model=self.spec.model,
            tier=tier,
            window=self._window,
            max_tokens=min(self.spec.max_tokens, self._window // 2),
            temperature=self.spec.temperature,
            tools=self._tools,
            schemas=self._schemas,
            count=self.counter.count,
        )

    def learn(self, error: ModelFailed, info: ModelInfo) -> bool:
        """Remember why a request made for `info` did not suit; whether one that is made anew may."""
        if error.code == TOOLS_REFUSED and info.tools == "native":
            self._tools = "json"
        elif error.code == SCHEMA_REFUSED and info.schemas:
            self._schemas = False
        elif error.code == TOO_LONG and info.window > _SMALLEST_WINDOW:
            self._window = min(self._window, max(_SMALLEST_WINDOW, int(info.window * _SHRINK)))
        else:
            return False
        log.info("model_refused", model=self.name, code=error.code, tools=self._tools, window=self._window)
        return True

    async def open(self) -> ChatModel:
        """The connection; the first call loads the libraries it needs, in a worker thread, and the vocabulary.

        `ModelFailed` when that fails, whatever the reason: a plugin may have made it.
        """
        if self._opening is None:
            self._opening = asyncio.create_task(self._load())
        opening = self._opening
        await asyncio.wait((opening,))
        if opening.cancelled():
            raise ModelFailed(f"{self.name} is being closed", code=NOT_OPENED)
        error = opening.exception()
        if error is None:
            return opening.result()
        if self._opening is opening:
            self._opening = None
        log.warning("model_not_opened", model=self.name, exc_info=error)
        why = error.detail if isinstance(error, ModelFailed) else f"{self.name} cannot be set up: {error}"
        raise ModelFailed(why, code=NOT_OPENED, hint="see the gateway's log") from error

    async def close(self) -> None:
        """Let go of the connection; one that takes longer than a moment is left to itself."""
        if self._opening is None:
            return
        opening, self._opening = self._opening, None
        if not opening.done():
            opening.cancel()
        elif not opening.cancelled() and opening.exception() is None:
            closing = asyncio.create_task(opening.result().close())
            await asyncio.wait((closing,), timeout=CLOSING_SECONDS)
            if not closing.done():
                closing.cancel()
            elif (error := closing.exception()) is not None:
                log.warning("model_close_failed", model=self.name, error=repr(error))

    async def _load(self) -> ChatModel:
        await self.counter.load()
        return await asyncio.to_thread(self._connect, self.spec)


class Connections:
    """One connection for each distinct spec, one queue for each model and address, one breaker for each key besides.

    A queue has as many places as the smallest `concurrency` of its specs: they are one server's to serve.
    """

    def __init__(
        self, connect: Callable[[ModelSpec], ChatModel], breaker: BreakerSettings, clock: Callable[[], float]
    ) -> None:
        self._connect = connect
        self._settings = breaker
        self._clock = clock
        self._found: dict[ModelSpec, Connection] = {}
        self._queues: dict[tuple[str, str], FairQueue] = {}
        self._breakers: dict[tuple[str, str, str, str], Breaker] = {}

    def of(self, spec: ModelSpec) -> Connection:
        """The connection of a spec; it is not opened by that."""
        found = self._found.get(spec)
        if found is None:
            queue = self._queues.setdefault((spec.model, spec.address), FairQueue(spec.concurrency))
            queue.narrow(spec.concurrency)
            found = self._found[spec] = Connection(spec, self._breaker_of(spec), queue, self._connect)
        return found

    async def warm(self, specs: Iterable[ModelSpec]) -> None:
        """Open the connections of these models, which loads what they need; one that cannot be is logged."""
        for spec in specs:
            with contextlib.suppress(ModelFailed):
                await self.of(spec).open()

    async def close(self) -> None:
        """Close all connections."""
        await asyncio.gather(*(each.close() for each in self._found.values()))

    def _breaker_of(self, spec: ModelSpec) -> Breaker:
        """A key that is refused, or asks for too much, says nothing of the others."""
        whose = (spec.model, spec.address, spec.key_env, spec.key_file)
        return self._breakers.setdefault(whose, Breaker(self._settings, self._clock))


def _tool_mode(spec: ModelSpec) -> ToolMode:
    if spec.tools != "auto":
        return spec.tools
    return "json" if spec.provider.startswith("ollama") and not spec.direct else "native"
