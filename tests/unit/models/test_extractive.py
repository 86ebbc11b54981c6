from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.models.parts import a_request, citations_of, say, write

from agent_gateway.interfaces import Generation, Passage, Sentence
from agent_gateway.models.extractive import ENOUGH, MOST_SENTENCES, SHORTEST, choose_sentences

ABSENCE = "This is not in my knowledge base: I found no answer in docs."
_CLAIM = re.compile(r"(?P<gap>(?:\n\n|\n| )?)(?P<text>.*)(?P<join>[ \n])\[(?P<n>\d+)\]", re.DOTALL)


def a_passage(*scored: tuple[str, float], source: str = "a.md", chunk: int = 0, glue: str = " ") -> Passage:
    """A passage of sentences with their scores."""
    spans, text = [], ""
    for sentence, score in scored:
        start = len(text)
        text += sentence
        spans.append(Sentence(start, len(text), score))
        text += glue
    return Passage(
        text=text,
        source=source,
        title=source.upper(),
        chunk=chunk,
        score=0.9,
        collection="docs",
        sentences=tuple(spans),
    )


def claims(pieces: Sequence[Generation]) -> list[tuple[str, int]]:
    """Sentence and number of each piece of text."""
    found = [_CLAIM.fullmatch(piece.text) for piece in pieces if piece.text]
    return [(match["text"], int(match["n"])) for match in found if match is not None]


words = st.text(alphabet=st.sampled_from('abé日 .|`#-"[]1\n'), min_size=1, max_size=40).filter(str.strip)


@st.composite
def many_passages(draw: st.DrawFn) -> tuple[Passage, ...]:
    """Passages of some documents, with sentences that may repeat and scores that may tie."""
    pool = draw(st.lists(words.map(str.strip), min_size=1, max_size=6))
    count = draw(st.integers(1, 6))
    found = []
    for number in range(count):
        sentences = draw(
            st.lists(st.tuples(st.sampled_from(pool), st.sampled_from([-9.0, -1.0, 0.0, 3.5])), max_size=5)
        )
        glue = draw(st.sampled_from([" ", "\n", "\n\n"]))
        source = draw(st.sampled_from(["a.md", "b.md"]))
        found.append(a_passage(*sentences, source=source, chunk=number, glue=glue))
    return tuple(found)


@given(many_passages())
async def test_every_sentence_stands_verbatim_in_the_passage_its_number_names(passages: tuple[Passage, ...]) -> None:
    pieces = await write(a_request(passages=passages))
    cited = {citation.n: citation for citation in citations_of(pieces)}
    by_place = {(each.source, each.chunk): each for each in passages}
    if not any(passage.sentences for passage in passages):
        assert ([piece.text for piece in pieces], cited) == ([ABSENCE], {})
        return
    found = claims(pieces)
    assert len(found) == len([piece for piece in pieces if piece.text])
    assert 1 <= len(found) <= MOST_SENTENCES
    for text, number in found:
        passage = by_place[cited[number].source, cited[number].chunk]
        assert text in {passage.text[each.start : each.end] for each in passage.sentences}
        assert (cited[number].title, cited[number].score) == (passage.title, passage.score)
    assert len({text for text, _ in found}) == len(found)


@given(many_passages())
async def test_numbers_count_up_in_the_order_in_which_they_appear(passages: tuple[Passage, ...]) -> None:
    pieces = await write(a_request(passages=passages))
    seen: list[int] = []
    for piece in pieces:
        if piece.text and (match := _CLAIM.fullmatch(piece.text)):
            number = int(match["n"])
            assert number <= len(seen) + 1
            if number == len(seen) + 1:
                seen.append(number)
                pending = number
            else:
                pending = 0
        elif piece.citation is not None:
            # Right behind the first sentence from its passage, and once.
            assert piece.citation.n == pending
            pending = 0
    assert [citation.n for citation in citations_of(pieces)] == seen == list(range(1, len(seen) + 1))


@given(many_passages())
async def test_sentences_of_a_document_are_in_reading_order(passages: tuple[Passage, ...]) -> None:
    choices = choose_sentences(passages)
    places = [(passages[each.passage].source, passages[each.passage].chunk, each.sentence.start) for each in choices]
    for source in ("a.md", "b.md"):
        own = [place for place in places if place[0] == source]
        assert own == sorted(own)
    # A document is not left and come back to.
    order = [place[0] for place in places]
    assert len([1 for first, second in pairwise(order) if first != second]) <= 1


async def test_the_best_document_comes_first_whatever_its_name() -> None:
    last = a_passage(("The answer is in the last one.", 5.0), source="z.md")
    first = a_passage(("A little of it is in the first.", 4.0), source="a.md")
    assert await say(a_request(passages=(first, last))) == (
        "The answer is in the last one. [1] A little of it is in the first. [2]"
    )


async def test_sentences_are_taken_until_one_of_them_is_surely_the_answer() -> None:
    sure = a_passage(("This is what was asked.", 20.0), ("This is something else.", 1.0))
    assert await say(a_request(passages=(sure,))) == "This is what was asked. [1]"
    unsure = a_passage(*((f"This may be it, number {n}.", 0.0) for n in range(9)))
    assert len(choose_sentences((unsure,))) == MOST_SENTENCES
    # Three that share all the odds: two thirds are not enough.
    three = a_passage(*((f"This may be it, number {n}.", 0.0) for n in range(3)), ("Hardly this one here.", -20.0))
    assert [each.text[-2:] for each in choose_sentences((three,))] == ["0.", "1.", "2."]
    assert 2 / 3 < ENOUGH < 1


async def test_a_sentence_that_stands_in_two_passages_is_said_once_from_the_better_one() -> None:
    passages = (
        a_passage(("It is said twice here.", 0.0), source="a.md"),
        a_passage(("It is said twice here.", 2.0), source="b.md"),
    )
    pieces = await write(a_request(passages=passages))
    assert claims(pieces) == [("It is said twice here.", 1)]
    assert [citation.source for citation in citations_of(pieces)] == ["b.md"]


async def test_labels_and_remnants_are_no_answers() -> None:
    passage = a_passage(("Yes." + "!" * (SHORTEST - 5), 9.0), ("This is a whole sentence.", 0.0))
    assert await say(a_request(passages=(passage,))) == "This is a whole sentence. [1]"


async def test_when_there_are_only_short_sentences_they_answer() -> None:
    passage = a_passage(("Port 8080.", 3.0), ("Free.", 0.0))
    assert await say(a_request(passages=(passage,))) == "Port 8080. [1] Free. [1]"


async def test_passages_without_a_sentence_are_no_answer() -> None:
    passage = Passage(text="Words.", source="a.md", title="A", chunk=0, score=0.9, collection="docs")
    pieces = await write(a_request(passages=(passage,)))
    assert [piece.text for piece in pieces] == [ABSENCE]
    assert citations_of(pieces) == []


CODE = "```sh\nkubectl get nodes\n```"
ROW = "| studio | agents | 3 nodes |"


@pytest.mark.parametrize(
    ("sentences", "response"),
    [
        (("It is done so.", CODE), f"It is done so. [1]\n{CODE}\n[1]"),
        ((CODE, "Then wait for it."), f"{CODE}\n[1]\nThen wait for it. [1]"),
        ((ROW, "| forge | GPUs | 2 nodes |"), f"{ROW}\n[1]\n| forge | GPUs | 2 nodes |\n[1]"),
        (("One of them it is.", "The other it is."), "One of them it is. [1] The other it is. [1]"),
    ],
)
async def test_code_and_table_rows_stand_on_lines_of_their_own(sentences: tuple[str, ...], response: str) -> None:
    passage = a_passage(*((text, 0.0) for text in sentences), glue="\n\n")
    assert await say(a_request(passages=(passage,))) == response


async def test_what_cannot_be_done_is_said_before_what_the_documents_say() -> None:
    passage = a_passage(("Restart it with care.", 0.0))
    assert await say(a_request(passages=(passage,), category="deploy")) == (
        "I cannot change anything that runs: no tools are connected to this gateway.\n\nRestart it with care. [1]"
    )


@pytest.mark.parametrize("category", ["query", "deploy", "chat", "own"])
async def test_without_an_answer_nothing_is_cited(category: str) -> None:
    pieces = await write(a_request(category=category))
    assert citations_of(pieces) == []
    assert "".join(piece.text for piece in pieces)


async def test_talk_that_the_documents_answer_is_answered_from_them() -> None:
    passage = a_passage(("The persona bruno speaks to engineers.", 0.0))
    assert await say(a_request("who is bruno", (passage,), category="chat")) == (
        "The persona bruno speaks to engineers. [1]"
    )
