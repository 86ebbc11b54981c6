"""Every way in which a model's server may fail, through both adapters: one outcome, in time, and nothing left."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from tests.unit.models.fake_models import NORA, ListLedger, a_task, text_of

from agent_gateway.config.models import ModelEntry, ModelsSettings, TimeoutSettings
from agent_gateway.errors import ModelFailed
from agent_gateway.gateway.language_models import LanguageModels
from agent_gateway.interfaces import CompletionPiece
from agent_gateway.testing import Fault, Reply, ScriptedModelServer

MODEL = "llama3:8b"
#: How a model's id and address choose who talks to it.
KINDS = ("direct", "ollama_chat", "hosted_vllm")
TIMEOUTS = TimeoutSettings(connect=0.5, first=0.5, stall=0.3)
DEADLINE = 6.0
TEXT = "It is in the drawer."
CALLS = [("look_up", {"place": "drawer"})]
#: Before anything was said: what the ledger has of the first model.
SILENT = {
    Fault.BLACK_HOLE: ["model_timeout"],
    Fault.NO_HEADERS: ["model_timeout"],
    Fault.NO_FIRST_BYTE: ["model_timeout"],
    Fault.STALL: ["model_timeout"],
    Fault.CUT: ["model_stream_cut", "model_stream_cut"],
    Fault.NO_TERMINAL: ["model_stream_cut", "model_stream_cut"],
    Fault.MALFORMED_JSON: ["model_malformed"],
    Fault.HALF_UTF8: ["model_malformed"],
    Fault.HUGE_LINE: ["model_malformed"],
    Fault.CUT_TOOL_CALL: ["model_stream_cut", "model_stream_cut"],
    Fault.WRONG_CONTENT_TYPE: ["model_malformed"],
    Fault.RATE_LIMIT: ["model_rate_limited", "model_rate_limited"],
    Fault.RATE_LIMIT_RETRY_AFTER: ["model_rate_limited", "model_rate_limited"],
    Fault.SERVER_ERROR: ["model_overloaded", "model_overloaded"],
    Fault.UNAVAILABLE: ["model_overloaded", "model_overloaded"],
    Fault.MODEL_NOT_FOUND: ["model_not_found"],
    Fault.CONTEXT_TOO_LONG: ["model_context_too_long", "model_context_too_long"],
    Fault.WRONG_KEY: ["model_unauthorized"],
}
#: In the middle of an answer: the code of the error.
CUTTING = {
    Fault.STALL: "model_timeout",
    Fault.CUT: "model_stream_cut",
    Fault.NO_TERMINAL: "model_stream_cut",
    Fault.MALFORMED_JSON: "model_malformed",
    Fault.HALF_UTF8: "model_malformed",
    Fault.HUGE_LINE: "model_malformed",
    Fault.CUT_TOOL_CALL: "model_stream_cut",
}


@dataclass
class Bench:
    """A server that may fail for the small tier, and one that does not for the medium tier."""

    models: LanguageModels
    server: ScriptedModelServer
    healthy: ScriptedModelServer
    ledger: ListLedger
    pieces: list[CompletionPiece] = field(default_factory=list)

    async def ask(self, seconds: float = DEADLINE) -> str:
        """Ask the small tier; the text. `pieces` are kept, whatever happens."""
        self.pieces = []
        began = time.monotonic()
        try:
            async for piece in self.models.completions.stream(a_task("small", seconds=seconds)):
                self.pieces.append(piece)
        finally:
            assert time.monotonic() - began < seconds + 1
        assert [piece.finish for piece in self.pieces].count(None) == len(self.pieces) - 1
        return text_of(self.pieces)

    @property
    def up(self) -> bool:
        """Whether the small tier can be asked."""
        return self.models.completions.standing(NORA)["small"].up

    def outcomes(self, tier: str = "small") -> list[str]:
        """What the ledger has of a tier."""
        return [use.outcome for use in self.ledger.uses if use.tier == tier]

    async def left_nothing(self) -> None:
        """No place in a queue and no call that is still being answered."""
        specs = [spec for tier in self.models._tiers.values() for spec in tier]
        assert [self.models._connections.of(spec).queue.taken for spec in specs] == [0, 0]
        async with asyncio.timeout(3):
            while self.server.open_calls or self.healthy.open_calls:  # noqa: ASYNC110 - nothing tells of it
                await asyncio.sleep(0.01)


def entry(kind: str, server: ScriptedModelServer) -> ModelEntry:
    """A model of a server, for one of the adapters."""
    if kind == "direct":
        return ModelEntry(model=f"ollama/{MODEL}", address=server.openai_url, direct=True, timeouts=TIMEOUTS)
    address = server.url if kind == "ollama_chat" else server.openai_url
    return ModelEntry(model=f"{kind}/{MODEL}", address=address, timeouts=TIMEOUTS)


@contextlib.asynccontextmanager
async def bench(kind: str, *replies: Reply) -> AsyncIterator[Bench]:
    """A bench; when it is left, nothing of the calls may be there any more."""
    async with ScriptedModelServer(replies=replies) as server, ScriptedModelServer(replies=(Reply("Ask me."),)) as well:
        ledger = ListLedger()
        settings = ModelsSettings(small=(entry(kind, server),), medium=(entry("direct", well),))
        models = LanguageModels(settings, {}, ledger, tell=lambda tiers: None)
        await models.start()
        before = asyncio.all_tasks()
        made = Bench(models, server, well, ledger)
        yield made
        await made.left_nothing()
        await models.close()
        await server.stop()
        await well.stop()
        assert asyncio.all_tasks() <= before


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fault", SILENT)
async def test_what_fails_before_a_word_is_answered_by_the_next_tier(kind: str, fault: Fault) -> None:
    text = "" if fault is Fault.CUT_TOOL_CALL else TEXT
    reply = Reply(text, fault=fault, pieces_before_fault=0, tool_calls=CALLS if not text else (), retry_after=1)
    async with bench(kind, reply) as made:
        assert await made.ask() == "Ask me."
        (notice,) = made.pieces[0].notices
        assert notice.startswith("The small tier did not answer (")
        assert notice.endswith("); the medium tier answers.")
        assert MODEL in notice
        assert (made.outcomes(), made.outcomes("medium")) == (SILENT[fault], ["ok"])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fault", CUTTING)
async def test_what_fails_in_mid_answer_is_one_error_and_the_next_turn_falls(kind: str, fault: Fault) -> None:
    tools = CALLS if fault is Fault.CUT_TOOL_CALL else ()
    async with bench(kind, Reply(TEXT, fault=fault, pieces_before_fault=2, tool_calls=tools)) as made:
        with pytest.raises(ModelFailed) as raised:
            await made.ask()
        assert raised.value.code == CUTTING[fault]
        assert "the answer is cut in the middle" in raised.value.detail
        assert MODEL in raised.value.detail
        assert TEXT.startswith(text_of(made.pieces)) is True
        assert made.pieces
        assert made.outcomes() == [CUTTING[fault]]
        assert not made.up
        assert await made.ask() == "Ask me."
        assert len(made.server.requests) == 1


@pytest.mark.parametrize("kind", KINDS)
async def test_an_end_that_comes_twice_is_one_end(kind: str) -> None:
    async with bench(kind, Reply(TEXT, fault=Fault.TWO_TERMINALS)) as made:
        assert await made.ask() == TEXT
        assert made.outcomes() == ["ok"]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_server_that_refuses_connections_is_found_out_once(kind: str) -> None:
    async with bench(kind, Reply(TEXT)) as made:
        await made.server.stop()
        assert await made.ask() == "Ask me."
        assert not made.up
        began = time.monotonic()
        assert await made.ask() == "Ask me."
        assert time.monotonic() - began < 0.2
        assert made.outcomes() == []


@pytest.mark.parametrize("kind", KINDS)
async def test_a_server_that_was_restarted_between_two_calls_answers_both(kind: str) -> None:
    async with bench(kind, Reply(TEXT)) as made:
        assert await made.ask() == TEXT
        await made.server.stop()
        await made.server.start()
        assert await made.ask() == TEXT
        assert made.outcomes("medium") == []


@pytest.mark.parametrize("kind", KINDS)
async def test_a_server_that_asks_to_be_left_alone_for_long_is(kind: str) -> None:
    fault = Reply(fault=Fault.RATE_LIMIT_RETRY_AFTER, retry_after=30)
    async with bench(kind, fault) as made:
        for _ in range(3):
            assert await made.ask() == "Ask me."
        assert len(made.server.requests) == 1
        assert "next try in 30 s" in made.pieces[0].notices[0]


@pytest.mark.parametrize("kind", KINDS)
async def test_what_passes_is_not_seen(kind: str) -> None:
    async with bench(kind, Reply(fault=Fault.UNAVAILABLE), Reply(TEXT)) as made:
        assert await made.ask() == TEXT
        assert made.pieces[0].notices == ()
        assert made.outcomes() == ["model_overloaded", "ok"]


@pytest.mark.parametrize("kind", KINDS)
async def test_when_all_are_silent_the_deadline_ends_it(kind: str) -> None:
    async with bench(kind, Reply(fault=Fault.NO_HEADERS)) as made:
        await made.healthy.stop()
        with pytest.raises(ModelFailed) as raised:
            await made.ask(seconds=0.3)
        assert raised.value.code == "no_model_available"
        assert "the deadline came after 0.3 s" in raised.value.detail
        assert made.pieces == []


@pytest.mark.parametrize("kind", KINDS)
async def test_who_goes_away_in_mid_answer_takes_the_connection_along(kind: str) -> None:
    async with bench(kind, Reply(TEXT, pause=0.2)) as made:
        stream = made.models.completions.stream(a_task("small"))
        await anext(stream)
        assert made.server.open_calls == 1
        began = time.monotonic()
        await stream.aclose()  # type: ignore[attr-defined]  # it is a generator
        await made.left_nothing()
        assert time.monotonic() - began < 0.5
        assert made.outcomes() == ["cancelled"]
        assert made.server.requests[0].disconnected_at is not None
