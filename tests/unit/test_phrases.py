"""Phrases cover a request as a whole, or do not fit."""

from __future__ import annotations

import pytest

from agent_gateway.phrases import MOST_WORDS, Phrases
from agent_gateway.plain_names import read_name

SLOTS = {"APP": rf"(?P<name>{Phrases.NAME})", "N": r"(?P<lines>\d+)"}


@pytest.mark.parametrize(
    ("phrase", "words"),
    [
        ("[show] logs of APP", "logs of cider"),
        ("[show] logs of APP", "show logs of cider"),
        ("show|tail APP [logs [of today]]", "tail cider logs of today"),
        ("(show me|give us) APP", "give us cider"),
        ("(is|are)* APP (up|running)", "is are cider running"),
        ("[a [b|c d]] APP", "a c d cider"),
        ("APP", "`cider`"),
        ("what about APP?", "what about cider"),
    ],
)
def test_every_word_is_covered(phrase: str, words: str) -> None:
    phrases = Phrases(phrase.replace("?", ""), SLOTS)
    assert phrases.match(words) == {"name": "cider"}
    assert phrases.match(f"{words} now") is None
    assert phrases.match(f"well {words}") is None


def test_the_first_phrase_that_fits_wins_and_all_can_be_had() -> None:
    phrases = Phrases("APP logs\nlast N APP\nlast N APP logs\nAPP N APP logs", SLOTS)
    assert list(phrases.matches("last 5 cider logs")) == [{"lines": "5", "name": "cider"}]
    assert phrases.match("cider logs") == {"name": "cider"}


def test_of_two_groups_with_one_name_the_first_that_took_something_counts() -> None:
    phrases = Phrases("THING", {"THING": r"pod (?P<name>\w+)|(?P<name>\w+) pod"})
    assert (phrases.match("pod cider"), phrases.match("cider pod")) == ({"name": "cider"}, {"name": "cider"})


@pytest.mark.parametrize("word", ["it", "the", "policy", "everything", "down", "-x", "a_", "ä"])
def test_a_word_of_a_sentence_is_no_name(word: str) -> None:
    assert Phrases("restart APP", SLOTS).match(f"restart {word}") is None
    assert read_name(word) == ""


def test_what_is_quoted_is_a_name_whatever_it_says() -> None:
    assert Phrases("restart APP", SLOTS).match("restart 'policy'") == {"name": "policy"}


def test_a_place_may_be_called_like_a_topic() -> None:
    assert (read_name("storage"), read_name("storage", place=True), read_name("it", place=True)) == ("", "storage", "")


def test_a_long_request_is_no_plain_one() -> None:
    words = " ".join(["very"] * MOST_WORDS)
    assert Phrases("(very)*").match(words) is not None
    assert Phrases("(very)*").match(f"{words} very") is None


def test_a_bracket_that_is_not_closed_is_an_error() -> None:
    with pytest.raises(ValueError, match="not closed"):
        Phrases("[show APP", SLOTS).match("show cider")
