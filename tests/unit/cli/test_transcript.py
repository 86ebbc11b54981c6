from __future__ import annotations

import sys
from collections.abc import Callable

import msgspec
import pytest

from agent_gateway.cli.output import Output
from agent_gateway.cli.transcript import Transcript, failure
from agent_gateway.events import Event, EventData, RunResumed, StageFinished, StageStarted, Token, event_type
from agent_gateway.messages import Answer, Citation, Problem, Recollection, Route, TurnUsage
from agent_gateway.tool import ToolCall, ToolResult

CITATIONS = (
    Citation(n=2, source="b.md", title="B", chunk=0, score=0.5),
    Citation(n=1, source="a.md", title="A", chunk=3, score=0.9),
)
ASKED = Recollection(question="how?", run_id="r0", asked_at="2026-01-01T00:00:00Z", sources=("a.md",), score=0.9)
ANSWER = Answer(
    response="One. [1] Two. [2]", model="extractive", context_used=2, latency_ms=1.0, conversation_id="conv_1",
    run_id="run_1", status="completed", citations=CITATIONS, asked_before=(ASKED,),
)  # fmt: skip
TURN: tuple[EventData, ...] = (
    StageStarted(stage="classify"),
    StageFinished(stage="classify", ms=1.5, result={"intent": {"category": "query", "confidence": 0.97}}),
    StageFinished(
        stage="retrieve", ms=2.0, result={"passages": 5, "collections": ["homelab-docs"], "answerable": False}
    ),
    StageFinished(stage="route", ms=0.1, result={"route": {"tier": "small", "reason": "score 3"}}),
    Token(text="One. [1]"),
    Token(text=" Two. [2]"),
    StageFinished(stage="act", ms=3.0, result={"citations": 2}),
    ANSWER,
)
Show = Callable[..., str]


def events(*items: EventData) -> list[Event]:
    """Number items as events."""
    return [Event(number, event_type(item), msgspec.json.encode(item)) for number, item in enumerate(items, start=1)]


@pytest.fixture
def show(capsys: pytest.CaptureFixture[str]) -> Show:
    """Show a turn and return what was written."""

    def written(*items: EventData, as_json: bool = False) -> str:
        transcript = Transcript(Output(as_json=as_json))
        for event in events(*items):
            transcript.show(event)
        return capsys.readouterr().out

    return written


def test_in_a_pipe_there_is_the_answer_and_its_sources(show: Show) -> None:
    assert show(*TURN) == "One. [1] Two. [2]\n\n[1] a.md: A\n[2] b.md: B\n"


def test_an_answer_without_sources_is_just_its_text(show: Show) -> None:
    assert show(Token(text="Hello!"), msgspec.structs.replace(ANSWER, citations=())) == "Hello!\n"


def test_a_terminal_also_shows_stages_and_the_conversation(show: Show, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "dumb")
    lines = show(*TURN).splitlines()
    assert [line.split()[0] for line in lines[:3]] == ["classify", "retrieve", "route"]
    assert "query (97%)" in lines[0]
    assert "no answer among them" in lines[1]
    assert "small: score 3" in lines[2]
    assert lines[3] == "One. [1] Two. [2]"
    assert lines[-2:] == ["asked before: how?", "conversation conv_1"]


def test_as_json_every_event_is_a_line(show: Show) -> None:
    records = [msgspec.json.decode(line) for line in show(*TURN, as_json=True).splitlines()]
    assert [record["seq"] for record in records] == list(range(1, len(TURN) + 1))
    assert records[-1]["type"] == "done"
    assert records[-1]["data"]["response"] == ANSWER.response


def test_an_answer_that_begins_again_says_so(show: Show) -> None:
    text = show(Token(text="Half an"), RunResumed(run_id="run_1", discard_after=1), Token(text="Whole."))
    assert text.startswith("Half an\n(")
    assert text.endswith("\nWhole.")


def test_who_else_answers_and_what_tools_do_is_a_line_each(show: Show) -> None:
    text = show(
        Token(text="Let me look."),
        ToolCall(id="call-1", name="list_pods", arguments={"namespace": "prod"}),
        ToolResult(call_id="call-1", name="list_pods", status="ok", text="a\nb", ms=12.4),
        ToolCall(id="call-2", name="restart", arguments={"names": ["x" * 300]}),
        ToolResult(call_id="call-2", name="restart", status="refused", text="write tools\nask first", ms=0.2),
        Route(tier="small", model="ollama_chat/llama3:8b", score=3, parts={}, reason="the large one\nis down"),
        Route(tier="extractive", model="extractive", score=3, parts={}, reason="none is up"),
        Token(text="Here."),
    )
    lines = text.splitlines()
    assert lines[:3] == ["Let me look.", '-> list_pods {"namespace":"prod"}', "<- list_pods ok, 12 ms"]
    assert lines[3].startswith('-> restart {"names":["xxx')
    assert lines[3].endswith("...")
    assert lines[4:] == [
        "<- restart refused, 0 ms: write tools ask first",
        "-> small (ollama_chat/llama3:8b): the large one is down",
        "-> extractive: none is up",
        "Here.",
    ]


@pytest.mark.parametrize(
    ("usage", "line"),
    [
        (TurnUsage(prompt_tokens=120, completion_tokens=45, cost=0.00123), "120 tokens read, 45 written, $0.0012"),
        (TurnUsage(prompt_tokens=1, completion_tokens=2, cost=1e-7), "1 tokens read, 2 written, < $0.0001"),
        (
            TurnUsage(prompt_tokens=1, completion_tokens=2, cost=0, estimated=True),
            "1 tokens read, 2 written (estimated)",
        ),
    ],
)
def test_notices_and_what_it_took_stand_behind_the_answer(show: Show, usage: TurnUsage, line: str) -> None:
    answer = msgspec.structs.replace(ANSWER, notices=("The large model is down.",), usage=usage)
    assert show(Token(text="One."), answer).splitlines()[-2:] == ["Note: The large model is down.", line]


@pytest.mark.parametrize(
    ("end", "code"),
    [
        (Problem(code="stage_failed", detail="act failed"), "stage_failed"),
        (msgspec.structs.replace(ANSWER, status="failed", error=Problem(code="broken", detail="x")), "broken"),
        (ANSWER, None),
        (msgspec.structs.replace(ANSWER, status="cancelled"), None),
    ],
)
def test_a_turn_fails_with_the_problem_it_ends_with(end: EventData, code: str | None) -> None:
    problem = failure(events(end)[0])
    assert (problem.code if problem else None) == code
