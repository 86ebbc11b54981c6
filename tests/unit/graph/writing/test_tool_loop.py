from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from tests.memory_records import an_executor
from tests.unit.graph.dialogue import DOWN, ERASE, SEARCH, Bell, Dialogue, EscalatingPolicy, Say, an_info
from tests.unit.graph.parts import a_passage

from agent_gateway.errors import ModelFailed
from agent_gateway.graph.faculties import ToolLimits
from agent_gateway.testing import StaticKnowledge, passage
from agent_gateway.tool import tool

KEYS = StaticKnowledge({"docs": [passage("The keys hang in the hall.", source="keys.md", title="Keys")]})
RING = '{"action": "call", "tool": "ring", "arguments": {"times": 2}}'
DONE = Say('{"action": "answer"}')
ANSWER = Say("It rang.")


async def test_a_native_model_calls_a_tool_and_concludes() -> None:
    bell = Bell()
    dialogue = await Dialogue([Say(calls=[("ring", '{"times": 2}')]), Say("It rang twice.")], tools=[bell.tool()]).run()
    assert (dialogue.text, bell.rung) == ("It rang twice.", [2])
    assert [(each.name, each.status, each.text) for each in dialogue.results] == [("ring", "ok", "It rang 2 times.")]
    calls = [each.call for each in dialogue.pieces if each.call is not None]
    assert [(each.id, each.arguments) for each in calls] == [(dialogue.results[0].call_id, {"times": 2})]
    first, second = dialogue.completions.requests
    assert [each.name for each in first.tools] == ["ring"]
    assert [each.role for each in second.messages] == ["system", "user", "assistant", "tool"]
    assert [task.retry for task in dialogue.completions.tasks] == [True, False]


async def test_a_native_model_that_answers_at_once_is_streamed_without_a_second_call() -> None:
    dialogue = await Dialogue([Say("I know it already.")], tools=[Bell().tool()]).run()
    assert dialogue.text == "I know it already."
    assert len(dialogue.completions.tasks) == 1
    assert len([each for each in dialogue.pieces if each.text]) > 2


async def test_a_model_without_tool_calls_proposes_by_schema_and_concludes_in_a_call_of_its_own() -> None:
    bell = Bell()
    dialogue = await Dialogue([Say(RING), DONE, Say("It rang twice.")], "json", tools=[bell.tool()]).run()
    assert (dialogue.text, bell.rung) == ("It rang twice.", [2])
    first, second, last = dialogue.completions.requests
    assert first.schema is not None
    assert first.schema["properties"]["tool"]["enum"] == ["ring"]
    assert first.schema["properties"]["arguments"] == Bell().tool().parameters
    assert (first.tools, first.temperature, last.schema) == ((), 0.0, None)
    assert first.max_tokens < last.max_tokens
    assert "It rang 2 times." in dialogue.seen(1)
    assert "Answer now" in dialogue.seen(2)
    assert second.messages[0] == first.messages[0]


async def test_a_model_whose_server_takes_no_schema_is_told_the_protocol_alone() -> None:
    dialogue = await Dialogue([DONE, ANSWER], "json", tools=[Bell().tool()], info={"schemas": False}).run()
    assert dialogue.completions.requests[0].schema is None
    assert '{"action": "answer"}' in dialogue.seen(0)


async def test_a_model_that_takes_no_tools_at_all_just_answers() -> None:
    dialogue = await Dialogue([Say("So it is.")], "none", tools=[Bell().tool()]).run()
    assert (dialogue.text, dialogue.completions.requests[0].tools) == ("So it is.", ())


@pytest.mark.parametrize(
    ("category", "depth", "answerable", "tools", "offered"),
    [
        ("chat", 2, False, [SEARCH, Bell().tool()], []),
        ("query", 1, True, [SEARCH], []),
        ("query", 2, True, [SEARCH], ["knowledge_search"]),
        ("query", 1, False, [SEARCH], ["knowledge_search"]),
        ("query", 0, True, [SEARCH, Bell().tool()], ["knowledge_search", "ring"]),
    ],
)
async def test_tools_are_offered_where_they_are_worth_a_round(
    category: str, depth: int, answerable: bool, tools: Any, offered: list[str]
) -> None:
    dialogue = Dialogue([Say("Yes.")], tools=tools, category=category, depth=depth, answerable=answerable)
    await dialogue.run()
    assert [each.name for each in dialogue.completions.requests[0].tools] == offered
    assert len(dialogue.completions.requests) == 1


async def test_what_a_tool_finds_is_cited_by_the_numbers_after_those_of_retrieve() -> None:
    script = [
        Say(calls=[("knowledge_search", '{"query": "keys hang"}')]),
        Say("In the hall [2], not there [1] or [3]."),
    ]
    dialogue = await Dialogue(script, tools=[SEARCH], passages=(a_passage("A door."),), knowledge=KEYS).run()
    assert dialogue.text == "In the hall [2], not there [1] or."
    assert dialogue.cited == [2, 1]
    (citation,) = [each.citation for each in dialogue.pieces if each.citation is not None and each.citation.n == 2]
    assert (citation.source, citation.title) == ("keys.md", "Keys")
    assert "[2] Keys (keys.md)" in dialogue.results[0].text


async def test_another_model_than_routed_is_told_with_the_reason() -> None:
    other = an_info("medium", model="other")
    dialogue = await Dialogue([Say("Yes.", model=other, notices=("The small model was down.",))]).run()
    assert [(each.tier, each.model, each.score) for each in dialogue.routes] == [("medium", "other", 1.0)]
    assert dialogue.notices == ["The small model was down."]


async def test_usage_of_every_call_is_told() -> None:
    dialogue = await Dialogue([Say(RING), DONE, ANSWER], "json", tools=[Bell().tool()]).run()
    assert len([each for each in dialogue.pieces if each.usage is not None]) == 3


@pytest.mark.parametrize(
    ("limits", "calls"),
    [
        (ToolLimits(steps=3), 4),
        (ToolLimits(tokens=25), 4),
        (ToolLimits(seconds=0.0), 1),
    ],
)
async def test_a_limit_ends_the_loop_in_an_answer(limits: ToolLimits, calls: int) -> None:
    script = [Say(calls=[("ring", f'{{"times": {number}}}')]) for number in range(1, 10)]
    script[calls - 1] = Say("Enough.")
    dialogue = await Dialogue(script, tools=[Bell().tool()], limits=limits).run()
    assert dialogue.text == "Enough."
    assert dialogue.completions.requests[-1].tools == ()


async def test_what_was_cut_can_be_read_on(tmp_path: Any) -> None:
    async def recite() -> str:
        """Recite a poem."""
        return "a line\n" * 100 + "the last line"

    poem = tool(recite, name="recite", output_limit=400)
    script = [
        Say(calls=[("recite", "")]),
        Say(calls=[("read_more", '{"result": "result-1", "page": 2}')]),
        Say("It ends well."),
    ]
    dialogue = await Dialogue(
        script, tools=[poem], executor=an_executor({"recite": poem}, folder=tmp_path / "kept")
    ).run()
    first, second, _ = dialogue.completions.requests
    assert [each.name for each in first.tools] == ["recite"]
    assert [each.name for each in second.tools] == ["recite", "read_more"]
    assert "read_more shows the others" in dialogue.seen(1)
    assert "the last line" in dialogue.results[1].text
    assert dialogue.text == "It ends well."


@dataclass(frozen=True)
class Case:
    """A small model's misbehaviour: its replies, and what the user gets in the end."""

    script: list[Say]
    mode: Any
    text: str
    statuses: tuple[str, ...] = ()
    up: Any = "small"
    calls: int = 0
    notice: str = ""


BAD = Say('{"action": "call", "tool": "ring", "arguments": {"times": "often"}}')
MISBEHAVIOUR = {
    "wrong JSON, then right": Case([Say("{oops}"), Say(RING), DONE, ANSWER], "json", "It rang.", ("ok",)),
    "wrong JSON for ever": Case([Say("{oops}"), Say("{oops}"), ANSWER], "json", "It rang."),
    "truncated JSON": Case([Say(RING[:50], finish="length"), Say(RING), DONE, ANSWER], "json", "It rang.", ("ok",)),
    "prose around JSON": Case([Say(f"Sure!\n{RING}\nDone."), DONE, ANSWER], "json", "It rang.", ("ok",)),
    "prose instead of JSON": Case([Say("It rang, I think."), ANSWER], "json", "It rang."),
    "an unknown tool, then a known one": Case(
        [Say('{"tool": "gong", "arguments": {}}'), Say(RING), DONE, ANSWER], "json", "It rang.", ("failed", "ok")
    ),
    "unknown tools for ever": Case(
        [Say(calls=[("gong", "{}")]), Say(calls=[("bong", "{}")]), ANSWER], "native", "It rang.", ("failed", "failed")
    ),
    "arguments of a wrong type, but clear": Case(
        [Say(calls=[("ring", '{"times": "3"}')]), ANSWER], "native", "It rang.", ("ok",)
    ),
    "arguments of a wrong type, mended": Case([BAD, Say(RING), DONE, ANSWER], "json", "It rang.", ("failed", "ok")),
    "arguments of a wrong type for ever": Case([BAD, BAD, ANSWER], "json", "It rang.", ("failed", "failed")),
    "bad arguments, and a larger model": Case(
        [BAD, BAD, Say(RING), DONE, ANSWER], "json", "It rang.", ("failed", "failed", "ok"), "large", 5,
        "The model of the small tier did not call tools as it should, so the large tier goes on.",
    ),
    "truncated arguments": Case(
        [Say(calls=[("ring", '{"times')]), Say(calls=[("ring", "")]), ANSWER], "native", "It rang.", ("failed", "ok")
    ),
    "the same call again": Case(
        [Say(RING), Say(RING), Say(RING), ANSWER], "json", "It rang.", ("ok", "refused", "refused")
    ),
    "never stopping": Case(
        [*[Say(calls=[("ring", f'{{"times": {n}}}')]) for n in range(6)], ANSWER], "native", "It rang.", ("ok",) * 6
    ),
    "a tool call as text": Case([Say(RING), ANSWER], "native", "It rang.", ("ok",)),
    "a tool call in a fence": Case([Say(f"Let me see.\n```json\n{RING}\n```"), ANSWER], "native",
                                   "Let me see.\n\n\nIt rang.", ("ok",)),
    "a tool call as the answer": Case([Say(RING), DONE, Say(RING), ANSWER], "json", "It rang.", ("ok",)),
    "a lead-in and a tool call as the answer": Case(
        [Say(RING), DONE, Say(f"I will ring.\n{RING}"), ANSWER], "json", "I will ring.\n\n\nIt rang.", ("ok",)
    ),
    "a tool call as text that cannot be read": Case([Say(RING[:-2]), Say(RING), ANSWER], "native", "It rang.", ("ok",)),
    "an answer in JSON": Case([DONE, Say('{"action": "answer", "answer": "It rang."}')], "json", "It rang."),
    "a writing tool": Case([Say(calls=[("erase", '{"path": "/"}')]), ANSWER], "native", "It rang.", ("refused",)),
    "an invented citation": Case([Say("It rang [4].")], "native", "It rang.", (), "small", 1,
                                 "The model cited [4], which was not among the passages; the mark was removed."),
    "an empty answer, then one": Case([Say(" \n"), ANSWER], "native", "It rang."),
    "an empty answer, and a larger model": Case(
        [Say(""), ANSWER], "native", "It rang.", (), "large", 2,
        "The model of the small tier gave no answer, so the large tier goes on.",
    ),
    "empty answers for ever": Case(
        [Say("")], "native", "This is not in my knowledge base: I found no answer in docs.", (), "small", 2,
        "The model gave no answer, twice, so this answer is made of sentences from the documents.",
    ),
    "an empty proposal": Case([Say(""), ANSWER], "json", "It rang."),
    "an empty conclusion": Case([Say(RING), DONE, Say(""), ANSWER], "json", "It rang.", ("ok",)),
    "no model after the tools": Case(
        [Say(RING), Say(error=DOWN)], "json", "This is not in my knowledge base: I found no answer in docs.", ("ok",),
        "small", 2, "Every model is down, so this answer is made of sentences from the documents.",
    ),
    "an answer that is cut": Case([Say("It ra", finish="length")], "native", "It ra", (), "small", 1,
                                  "The answer ends where the model's limit of tokens was reached."),
}  # fmt: skip


@pytest.mark.parametrize("name", MISBEHAVIOUR)
async def test_whatever_a_small_model_does_ends_in_a_useful_answer(name: str) -> None:
    case = MISBEHAVIOUR[name]
    policy = EscalatingPolicy(case.up)
    dialogue = await Dialogue(
        case.script, case.mode, tools=[Bell().tool(), ERASE], policy=policy, suggest_only=True
    ).run()
    assert dialogue.text == case.text
    assert tuple(each.status for each in dialogue.results) == case.statuses
    assert len(dialogue.completions.tasks) == (case.calls or len(case.script))
    assert dialogue.notices == ([case.notice] if case.notice else [])


async def test_what_was_wrong_is_told_to_the_model() -> None:
    dialogue = await Dialogue([BAD, Say(RING), DONE, ANSWER], "json", tools=[Bell().tool()]).run()
    assert "The call does not fit 'ring': expected `int`, got `str` (argument `times`)" in dialogue.seen(1)
    dialogue = await Dialogue([Say("{oops}"), DONE, ANSWER], "json", tools=[Bell().tool()]).run()
    assert "Your last reply was no such object" in dialogue.seen(1)
    assert "Your last reply" not in dialogue.seen(2)
    dialogue = await Dialogue([Say(calls=[("gong", "{}")]), ANSWER], tools=[Bell().tool()]).run()
    assert "There is no tool 'gong'. There are: ring." in dialogue.seen(1)


async def test_a_repeated_call_gives_the_earlier_result_and_does_not_run() -> None:
    bell = Bell()
    script = [Say(calls=[("ring", '{"times": 2}')]), Say(calls=[("ring", '{ "times":2 }')]), Say("It rang.")]
    dialogue = await Dialogue(script, tools=[bell.tool()]).run()
    assert bell.rung == [2]
    assert dialogue.results[1].text.startswith("This was called already with the same arguments")
    assert dialogue.results[1].text.endswith("It rang 2 times.")


async def test_failures_are_told_to_the_routing_policy_step_by_step() -> None:
    dialogue = await Dialogue([BAD, BAD, Say(""), ANSWER], "json", tools=[Bell().tool()]).run()
    assert [(case.step, case.failures) for case in dialogue.policy.cases] == [
        ("tool", ()),
        ("tool", ("bad_tool_call",)),
        ("conclude", ("bad_tool_call",)),
        ("conclude", ("bad_tool_call", "empty_answer")),
    ]


async def test_no_model_before_the_first_word_means_the_floor() -> None:
    page = a_passage("The keys hang in the hall.")
    dialogue = await Dialogue([Say(error=DOWN)], passages=(page,), answerable=True).run()
    assert dialogue.text == "The keys hang in the hall. [1]"
    assert [(each.tier, each.model) for each in dialogue.routes] == [("extractive", "extractive")]
    assert "every model is down" in dialogue.routes[0].reason
    assert dialogue.cited == [1]


async def test_the_floor_answers_from_what_a_tool_has_found() -> None:
    script = [Say(calls=[("knowledge_search", '{"query": "keys hang"}')]), Say(error=DOWN)]
    dialogue = await Dialogue(script, tools=[SEARCH], knowledge=KEYS).run()
    assert dialogue.text == "The keys hang in the hall. [1]"


async def test_a_model_that_breaks_off_is_an_error() -> None:
    dialogue = Dialogue([Say("It is", error=ModelFailed("it broke off", code="stream_cut"))])
    with pytest.raises(ModelFailed, match="broke off"):
        await dialogue.run()
    assert dialogue.text == "It is"


async def test_numbers_in_a_log_are_no_citations() -> None:
    async def read_log() -> str:
        """Read the log."""
        return "worker[17]: retry [42] failed [0] at [1] and [2]"

    script = [Say(calls=[("read_log", "")]), Say("It failed [42], by [17], of [0] [2] [1].")]
    dialogue = await Dialogue(script, tools=[tool(read_log, name="read_log")], passages=(a_passage("A door."),)).run()
    assert (dialogue.text, dialogue.cited) == ("It failed, by, of [1].", [1])


async def test_a_passage_that_a_tool_finds_again_may_be_cited_when_its_first_showing_found_no_room() -> None:
    page = a_passage("The keys hang in the hall. " + "word " * 800, source="keys.md")
    script = [Say(calls=[("knowledge_search", '{"query": "keys hang"}')]), Say("In the hall [1].")]
    knowledge = StaticKnowledge({"docs": [page]})
    info = {"window": 2400, "max_tokens": 500}
    dialogue = await Dialogue(script, tools=[SEARCH], passages=(page,), knowledge=knowledge, info=info).run()
    assert dialogue.results[0].text.startswith("[1] KEYS.MD")
    assert "Left out for lack of room: 1 passage." in dialogue.seen(1)
    assert dialogue.cited == [1]


async def test_a_tier_that_could_not_answer_is_not_asked_again_in_this_turn() -> None:
    other = an_info("medium")
    script = [
        Say(calls=[("ring", '{"times": 1}')], model=other),
        Say(calls=[("ring", '{"times": 2}')], model=other),
        Say("It rang.", model=other),
    ]
    dialogue = await Dialogue(script, tools=[Bell().tool()]).run()
    assert [task.tier for task in dialogue.completions.tasks] == ["small", "medium", "medium"]
    assert [each.tier for each in dialogue.routes] == ["medium"]


async def test_what_a_cut_answer_used_is_estimated() -> None:
    dialogue = await Dialogue([Say("All work and no play makes Jack a dull boy. " * 40)]).run()
    (usage,) = [each.usage for each in dialogue.pieces if each.usage is not None]
    assert usage.estimated
    assert usage.prompt_tokens >= len(dialogue.seen(0)) // 4
    assert len(dialogue.text) // 4 <= usage.completion_tokens <= len(dialogue.text) // 4 + 50
    assert usage.cost == 0.0


async def test_a_cut_step_counts_towards_the_limit_of_tokens() -> None:
    said = "All work and no play makes Jack a dull boy. " * 40
    request = Say(said, model=an_info("small", "json"))
    limits = ToolLimits(tokens=100)
    dialogue = await Dialogue([request, Say("Enough.")], "json", tools=[Bell().tool()], limits=limits).run()
    assert len([each for each in dialogue.pieces if each.usage is not None and each.usage.estimated]) == 1
