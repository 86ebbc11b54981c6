from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_gateway.knowledge.sentences import split_sentences

#: What belongs to no sentence: a heading, a list marker, the rule of a table.
STRUCTURE = re.compile(r"\s*(?:#{1,6}\s.*|[-*+]|\d{1,9}[.)]|\|(?:\s*:?-+:?\s*\|)+)?\s*")

PIECES = st.sampled_from(
    [
        "# Head\n",
        "\n",
        " ",
        "- ",
        "1. ",
        "| a | b |\n",
        "|---|---|\n",
        "```\n",
        "~~~",
        "e.g. ",
        "Word ",
        "x. ",
        "Y! ",
        "`a. B` ",
    ]
)
TEXTS = st.lists(PIECES | st.text(max_size=12), max_size=30).map("".join)


def cut(text: str) -> list[str]:
    return [text[start:end] for start, end in split_sentences(text)]


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        ("Use e.g. Flux, i.e. GitOps. Or Helm vs. Kustomize etc. Then stop.", 3),
        ("It needs Flux v1.2.3. See values.yaml for more.", 2),
        ("Run 3 replicas, cf. Fig. 2 and No. 7. Is there more? No. Stop.", 4),
        ("Ask J. Smith or Dr. Jones. They know.", 2),
        ("Restart it. kubectl then shows the pod.", 2),
        ("He said “go.” Then he left. *Really.* Yes.", 4),
        ("See `a. B` and [the page](x.y/Z.). Done.", 2),
        ("Wait... What? Well… fine.", ["Wait...", "What?", "Well… fine."]),
        ("これは文です。次の文。", ["これは文です。", "次の文。"]),
        ("At 3 p.m. it stops. In the U.S. It starts.", 3),
    ],
)
def test_prose_is_cut_where_a_reader_would(text: str, sentences: list[str] | int) -> None:
    found = cut(text)
    assert (found if isinstance(sentences, list) else len(found)) == sentences, found


def test_structure_is_told_from_sentences() -> None:
    text = (
        "## A heading. With dots\n\nIntro: see this.\n\n- First item. It has two.\n  1) Inner item\n\n"
        "| Name | Cost |\n|---|---:|\n| a. B | 1 |\n\n```yaml\na: 1.\n\n# b. C\n```\n\nAfter."
    )
    assert cut(text) == [
        "Intro: see this.",
        "First item.",
        "It has two.",
        "Inner item",
        "| Name | Cost |",
        "| a. B | 1 |",
        "```yaml\na: 1.\n\n# b. C\n```",
        "After.",
    ]


def test_an_open_fence_reaches_to_the_end_and_a_longer_fence_holds_a_shorter() -> None:
    assert cut("Text.\n````\n```\ncode\n```\n````\nMore.") == ["Text.", "````\n```\ncode\n```\n````", "More."]
    assert cut("~~~\nno end. Here") == ["~~~\nno end. Here"]


@settings(deadline=None)
@given(TEXTS)
def test_spans_are_ordered_trimmed_and_cover_all_but_structure(text: str) -> None:
    end = 0
    for start, stop in split_sentences(text):
        for line in text[end:start].split("\n"):
            assert STRUCTURE.fullmatch(line), line
        assert start < stop
        assert start >= end
        assert text[start:stop] == text[start:stop].strip()
        end = stop
    for line in text[end:].split("\n"):
        assert STRUCTURE.fullmatch(line), line


@pytest.mark.parametrize("unit", ["! ", "a`", "``", "e.g. ", "](", "| ", "- ", "\n```\n", "A. ", "。"])
def test_cost_grows_with_the_length_only(unit: str) -> None:
    text = unit * 50_000
    spans = split_sentences(text)
    assert all(start < end <= len(text) for start, end in spans)
