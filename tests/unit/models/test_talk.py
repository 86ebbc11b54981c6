from __future__ import annotations

import pytest
from tests.unit.models.parts import NORA, a_request, say

from agent_gateway.models.talk import introduce
from agent_gateway.persona import Persona
from agent_gateway.testing import passage

ABOUT = (
    "I am nora, librarian of the house. I can look things up and explain the rules. "
    "My answers come from docs, with the source of every sentence."
)


@pytest.mark.parametrize(
    "message", ["hi", "Hello!", "hey there", "Good morning", "  moin", "hiii", "yo", "Howdy partner", "hola"]
)
async def test_a_greeting_is_returned(message: str) -> None:
    assert await say(a_request(message, category="chat")) == f"Hello! {ABOUT}"


@pytest.mark.parametrize(
    "message", ["thanks!", "Thank you very much, that helped", "thx", "cheers", "I appreciate it", "great job", "ty"]
)
async def test_thanks_are_accepted(message: str) -> None:
    assert await say(a_request(message, category="chat")) == "You are welcome."


@pytest.mark.parametrize("message", ["bye", "Goodbye then", "good night", "see you tomorrow", "cya", "later!"])
async def test_a_farewell_is_returned(message: str) -> None:
    assert await say(a_request(message, category="chat")) == "Goodbye."


@pytest.mark.parametrize(
    "message",
    ["what can you do?", "who are you", "hi, what can you help me with?", "hello, who are you?", "tell me a joke", "",
     "can you help me later?", "what will you do later"],
)  # fmt: skip
async def test_a_question_about_the_persona_is_answered_from_its_description(message: str) -> None:
    assert await say(a_request(message, category="chat")) == ABOUT


@pytest.mark.parametrize(
    ("title", "said"),
    [("Data scientist", "data scientist"), ("SRE on call", "SRE on call"), ("X", "x"), ("Élan", "élan")],
)
def test_a_title_begins_small_unless_it_is_an_abbreviation(title: str, said: str) -> None:
    persona = Persona(id="nora", title=title, prompt="Read.")
    request = a_request(persona=persona, abilities=(), collections=())
    assert introduce(request) == f"I am nora, {said}."


def test_only_what_there_is_is_said_of_a_persona() -> None:
    assert introduce(a_request(abilities=("sing",), collections=())) == "I am nora, librarian of the house. I can sing."
    several = introduce(a_request(abilities=("a", "b", "c"), collections=("x", "y")))
    assert "I can a, b and c." in several
    assert "My answers come from x and y, with" in several
    assert NORA.prompt not in several


async def test_an_absence_names_where_was_looked() -> None:
    assert await say(a_request(collections=("docs", "more"))) == (
        "This is not in my knowledge base: I found no answer in docs and more."
    )
    assert await say(a_request(collections=())) == "I have no documents to answer from."


NOTES = {
    "deploy": "I cannot change anything that runs: no tools are connected to this gateway.",
    "train": "I cannot start a training run: no tools are connected to this gateway.",
    "troubleshoot": "I cannot look at live systems: no tools are connected to this gateway.",
    "analyze": "I cannot compute over data: no tools are connected to this gateway.",
}
ABSENCE = "This is not in my knowledge base: I found no answer in docs."


@pytest.mark.parametrize("category", NOTES)
async def test_what_would_need_tools_is_said_not_to_be_possible(category: str) -> None:
    assert await say(a_request(category=category)) == f"{NOTES[category]} {ABSENCE}"


@pytest.mark.parametrize("category", NOTES)
async def test_an_uncertain_category_is_not_spoken_of(category: str) -> None:
    assert await say(a_request(category=category, confidence=0.49)) == ABSENCE
    assert (await say(a_request(category=category, confidence=0.5))).startswith(NOTES[category])


@pytest.mark.parametrize(("category", "noted"), [("deploy", 1), ("train", 1), ("troubleshoot", 0), ("analyze", 0)])
async def test_an_answer_to_a_question_is_no_inability(category: str, noted: int) -> None:
    response = await say(a_request(passages=(passage("It stands here."),), category=category))
    assert response.count("I cannot") == noted


@pytest.mark.parametrize("category", ["query", "chat", "own"])
async def test_a_question_needs_no_tools(category: str) -> None:
    assert "I cannot" not in await say(a_request(category=category))
