"""One call is chosen when it is clear, and none otherwise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from structlog.testing import capture_logs

from agent_gateway.graph.plain.choice import MARGIN, THRESHOLD, choose
from agent_gateway.graph.plain.slots import read_plain
from agent_gateway.tool import Effect, PlainRequest, Recognition, Tool, tool


async def look(name: str = "") -> str:
    """Look at things. They are not touched."""
    return name


def a_tool(
    name: str, recognize: Callable[[PlainRequest], Recognition | None] | None = None, effect: Effect = "read"
) -> Tool:
    return tool(look, name=name, effect=effect, recognize=recognize)


def sure(confidence: float, **fields: Any) -> Callable[[PlainRequest], Recognition]:
    found = Recognition(confidence=confidence, meaning=fields.pop("meaning", "look at it"), **fields)
    return lambda request: found


def request(text: str = "show it") -> PlainRequest:
    return read_plain(text, "query", ())


def test_the_one_that_is_sure_is_called() -> None:
    then: tuple[tuple[str, dict[str, Any]], ...] = (("second", {"name": "x"}), ("unknown", {}))
    tools = [
        a_tool("first", sure(0.9, arguments={"name": "x"}, then=then)),
        a_tool("second", sure(0.9 - MARGIN)),
        a_tool("third", lambda request: None),
        a_tool("fourth"),
    ]
    choice = choose(request(), tools)
    assert (choice.outcome, choice.tool, choice.arguments) == ("call", "first", {"name": "x"})
    assert choice.then == (("second", {"name": "x"}),)


def test_two_that_are_as_sure_are_both_offered_and_none_is_called() -> None:
    tools = [a_tool("first", sure(0.9, meaning="this")), a_tool("second", sure(0.9 - MARGIN + 0.01, meaning="that"))]
    choice = choose(request(), tools)
    assert (choice.outcome, choice.tool, choice.offers) == ("unsure", "", ("this", "that"))


def test_below_the_threshold_nothing_is_called() -> None:
    choice = choose(request(), [a_tool("first", sure(THRESHOLD - 0.01, meaning="this"))])
    assert (choice.outcome, choice.offers) == ("unsure", ("this",))


def test_a_command_word_for_word_wins() -> None:
    tools = [a_tool("first", sure(1.0)), a_tool("second", sure(0.9, command=True))]
    assert choose(request(), tools).tool == "second"


def test_a_command_of_two_languages_is_not_run() -> None:
    tools = [a_tool("first", sure(1.0, command=True)), a_tool("second", sure(0.5, command=True))]
    assert choose(request(), tools).outcome == "unsure"


def test_what_is_missing_is_asked_for() -> None:
    choice = choose(request(), [a_tool("first", sure(0.9, missing="the namespace"))])
    assert (choice.outcome, choice.missing, choice.tool) == ("missing", "the namespace", "")


def test_when_nothing_is_recognized_it_says_what_it_could_do() -> None:
    choice = choose(request(), [a_tool("first", lambda request: None), a_tool("second")])
    assert (choice.outcome, choice.offers) == ("nothing", ("Look at things (first)",))


@pytest.mark.parametrize(
    "text",
    [
        "don't restart api",
        "never restart api",
        "how do I restart api",
        "should I restart api?",
        "restart api unless it is fine",
        "what if you restart api",
        "explain restart api",
        "the runbook says restart api",
    ],
)
def test_what_is_no_request_is_not_even_offered(text: str) -> None:
    choice = choose(request(text), [a_tool("first", sure(1.0)), a_tool("second", sure(1.0), "write")])
    assert choice.outcome == "nothing"


def test_a_question_changes_nothing_unless_it_is_a_polite_command() -> None:
    reading, writing = [a_tool("first", sure(1.0))], [a_tool("first", sure(1.0), "write")]
    assert choose(request("restart api?"), reading).outcome == "call"
    assert choose(request("restart api?"), writing).outcome == "nothing"
    assert choose(request("can you restart api?"), writing).outcome == "call"
    assert choose(request("restart api"), writing).outcome == "call"


def test_a_command_may_hold_any_word() -> None:
    assert choose(request('logs |= "do not"'), [a_tool("first", sure(1.0, command=True))]).outcome == "call"


def test_a_recognizer_that_stumbles_harms_nobody() -> None:
    def stumble(request: PlainRequest) -> Recognition:
        raise KeyError(request.rest)

    with capture_logs() as logs:
        choice = choose(request(), [a_tool("first", stumble), a_tool("second", sure(0.9))])
    assert choice.tool == "second"
    assert [each["tool"] for each in logs] == ["first"]


def test_a_rule_that_stumbles_over_what_was_recognized_lets_nothing_be_called() -> None:
    def recognize(request: PlainRequest) -> Recognition:
        return Recognition(arguments={"name": request.text}, confidence=1.0, meaning="scale it")

    async def scale(name: str) -> str:
        """Scale it."""
        return name

    stumbling = tool(scale, recognize=recognize, effect=lambda given: given["nmae"])
    assert choose(read_plain("scale x", "query", ()), [stumbling]).outcome == "nothing"
