from __future__ import annotations

from agent_gateway.graph.writing.digest import OLDER, RECENT, digest, older, recent, unmark
from agent_gateway.messages import Exchange


def talk(count: int) -> list[Exchange]:
    return [Exchange(message=f"question {number}", response=f"Answer {number}.") for number in range(count)]


def test_the_last_exchanges_are_shown_whole_and_those_before_in_a_line() -> None:
    history = talk(RECENT + OLDER + 5)
    assert recent(history) == tuple(history[-RECENT:])
    assert older(history) == tuple(history[5 : 5 + OLDER])
    assert older(history[:RECENT]) == ()


def test_a_digest_is_the_question_and_the_first_sentence_of_the_answer() -> None:
    exchange = Exchange(
        message="How long\nare logs kept?", response="They are kept for 30 days [1]. Older ones go [2]."
    )
    assert digest(exchange) == "- asked: How long are logs kept? - answered: They are kept for 30 days."


def test_a_digest_stays_short() -> None:
    assert len(digest(Exchange(message="word " * 500, response="word " * 500))) < 400
    assert digest(Exchange(message="q", response="")) == "- asked: q - answered: "


def test_numbers_of_earlier_passages_are_taken_out() -> None:
    assert unmark("So [1], or so [2, 3][4]. See [5](x) and a[b].") == "So, or so. See [5](x) and a[b]."
