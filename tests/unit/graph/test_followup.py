from __future__ import annotations

import time

import pytest

from agent_gateway.graph.followup import LONGEST, TOPIC_CHARACTERS, asks_on, continues, in_context, own_words
from agent_gateway.messages import Exchange

DEPENDENT = """
    and how long does that take?
    what about forge?
    how about on pro?
    who approves it?
    why?
    why not?
    Why doesn't it work?
    what if that fails
    only on studio?
    so what happens next?
    also for the agents?
    is that the same for all of them?
    does it expire
    what's the limit?
    can't I do it myself?
    which one?
    ok, and then?
    great, what about pro?
    thanks! who approves it?
    ...and the second one?
    For just one namespace?
""".strip().splitlines()

INDEPENDENT = """
    How do I renew a certificate?
    What is the refund policy of Lucena Shop?
    Where are the Prometheus alerts for the forge cluster defined?
    Which port does the observability server listen on in studio?
    Explain the difference between suspend and resume in Flux
    list all alerts that wake somebody at night
    Is it possible to restart the PostgreSQL primary without losing the customer feedback of today?
    certificate renewal runbook
    Wie erneuere ich ein Zertifikat für den Server?
    Как обновить сертификат сервера?
    postgres failover steps
""".strip().splitlines()


@pytest.mark.parametrize("message", [each.strip() for each in DEPENDENT])
def test_a_message_that_leans_on_the_last_one_continues(message: str) -> None:
    assert continues(message)


@pytest.mark.parametrize("message", [each.strip() for each in INDEPENDENT])
def test_a_message_that_says_what_it_is_about_stands_alone(message: str) -> None:
    assert not continues(message)


def test_a_joining_word_does_not_make_a_full_question_dependent() -> None:
    assert continues("And how do I drain the node?")
    assert not continues("And which retention period do Loki logs of production namespaces in the pro cluster keep?")


@pytest.mark.parametrize(
    ("message", "words"),
    [("", 0), ("?!", 0), ("what is it", 0), ("What's the SLA?", 1), ("isn't", 0), ("spec.timeout of helm-release", 2)],
)
def test_only_words_with_a_meaning_of_their_own_count(message: str, words: int) -> None:
    assert own_words(message) == words


@pytest.mark.parametrize(
    "message",
    ["tell me more", "why?", "Really?", "how?", "and then?", "ok and then?", "What else?", "more details please",
     "say that again", "thanks! who approves it?", "ok, but how long?", "are you sure?", "summarize that"],
)  # fmt: skip
def test_talk_that_wants_more_of_the_answer_asks_on(message: str) -> None:
    assert asks_on(message)


@pytest.mark.parametrize(
    "message",
    ["thanks!", "Thank you very much, that helped", "hello", "bye", "ok great", "cool", "who are you?",
     "what can you do?", "how are you?", "ok, what can you do?", "perfect", "No", ""],
)  # fmt: skip
def test_plain_talk_does_not_ask_on(message: str) -> None:
    assert not asks_on(message)


def exchanges(*messages: str) -> tuple[Exchange, ...]:
    return tuple(Exchange(message=message, response="An answer.") for message in messages)


def test_the_topic_goes_back_to_the_last_question_that_stood_alone() -> None:
    history = exchanges("Where do backups of PostgreSQL go?", "How do I drain a node?", "and how long does that take?")
    assert in_context("who approves it?", history) == (
        "How do I drain a node?\nand how long does that take?\nwho approves it?"
    )


def test_the_topic_goes_back_three_messages_at_most() -> None:
    history = exchanges("How do I drain a node?", "why?", "and then?", "how long?")
    assert in_context("who approves it?", history) == "why?\nand then?\nhow long?\nwho approves it?"


def test_without_a_history_there_is_no_topic() -> None:
    assert in_context("who approves it?", ()) == "who approves it?"


def test_a_long_topic_leaves_room_for_the_message() -> None:
    (topic,) = exchanges("How do I drain the node named studio? " * 100)
    assert in_context("why?", (topic,)) == f"{topic.message[:TOPIC_CHARACTERS]}\nwhy?"


@pytest.mark.parametrize("unit", ["/", " ", "ok ", "no!", "a", "a.", "and ", "it's ", "\u3042", "\ud800", "how?"])
def test_a_message_of_a_megabyte_costs_no_more_than_a_long_one(unit: str) -> None:
    message = unit * (2**20 // len(unit))
    began = time.process_time()
    found = (continues(message), asks_on(message), own_words(message))
    assert time.process_time() - began < 0.25
    assert found == (continues(message[:LONGEST]), asks_on(message[:LONGEST]), own_words(message[:LONGEST]))
