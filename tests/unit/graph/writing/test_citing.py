from __future__ import annotations

import itertools
import time
from collections.abc import Iterable

import pytest
from tests.unit.graph.parts import a_passage

from agent_gateway.graph.writing.citing import LONGEST_HELD, Citer
from agent_gateway.interfaces import Generation
from agent_gateway.messages import Citation

PASSAGES = [a_passage("One.", source="one.md"), a_passage("Two.", source="two.md"), a_passage("Three.", source="3.md")]
KNOWN = "https://grafana.example/d/1"


def read(pieces: Iterable[str], allowed: Iterable[int] = (1, 2, 3)) -> tuple[str, list[int], list[str]]:
    """Text, cited numbers and notices of one answer."""
    generations = stream(pieces, allowed)
    text = "".join(each.text for each in generations)
    return (
        text,
        [each.citation.n for each in generations if each.citation is not None],
        [each.notice for each in generations if each.notice],
    )


def stream(pieces: Iterable[str], allowed: Iterable[int] = (1, 2, 3)) -> list[Generation]:
    citer = Citer(lambda: PASSAGES, lambda url: url in KNOWN)
    citer.begin(frozenset(allowed))
    found = [each for piece in pieces for each in citer.feed(piece)]
    return [*found, *citer.flush()]


TABLE = {
    "a given number": ("Restart it [1].", "Restart it [1].", [1], 0),
    "several marks": ("A [1, 2]. B [1][3].", "A [1, 2]. B [1][3].", [1, 2, 3], 0),
    "cited twice": ("A [2]. B [2].", "A [2]. B [2].", [2], 0),
    "at a word": ("It takes 5 minutes[1].", "It takes 5 minutes[1].", [1], 0),
    "an invented number": ("Restart it [7].", "Restart it.", [], 1),
    "an invented one among others": ("Restart it [1, 7].", "Restart it [1].", [1], 1),
    "only invented ones": ("A [7][8]. B [7].", "A. B.", [], 1),
    "an invented one first": ("[9] Restart it.", " Restart it.", [], 1),
    "an index in code": ("Use `a[0]` and `b[1]` [1].", "Use `a[0]` and `b[1]` [1].", [1], 0),
    "an index in a fence": (
        "So:\n```python\nx = a[7]\n```\nDone [2].",
        "So:\n```python\nx = a[7]\n```\nDone [2].",
        [2],
        0,
    ),
    "a double-ticked index": ("Use ``a`[7]`` now.", "Use ``a`[7]`` now.", [], 0),
    "an unclosed tick": ("It is ` a tick\nand a claim [1].", "It is ` a tick\nand a claim [1].", [1], 0),
    "an index without ticks": ("Take items[0].", "Take items[0].", [], 0),
    "a check box": ("- [ ] one\n- [x] two", "- [ ] one\n- [x] two", [], 0),
    "a year": ("As of [2023] it is.", "As of [2023] it is.", [], 0),
    "an exclamation": ("Hello! How are you!", "Hello! How are you!", [], 0),
    "a remote image": ("See ![a chart](https://evil.example/x.png?q=secret).", "See a chart.", [], 1),
    "a local image": ("See ![a chart](chart.png).", "See ![a chart](chart.png).", [], 0),
    "a protocol-relative image": ("See ![a chart](//evil.example/x).", "See a chart.", [], 1),
    "a known link": (f"See [Grafana]({KNOWN}).", f"See [Grafana]({KNOWN}).", [], 0),
    "an invented link": ("See [Grafana](https://evil.example/?q=secret).", "See Grafana.", [], 1),
    "an image in a link": ("[![x](https://evil.example/a)](https://evil.example/b)", "x", [], 2),
    "a mark as a link": ("So it is [1](https://evil.example).", "So it is [1].", [1], 0),
    "a remark at a mark": ("So [1](see above).", "So [1] (see above).", [1], 0),
    "a link with parentheses": ("See [it](https://evil.example/a_(b)).", "See it.", [], 1),
    "an unfinished link": ("See [it](https://evil.example", "See [it] (https://evil.example", [], 0),
    "an unfinished mark": ("See [1", "See [1", [], 0),
    "a space at the end": ("See it ", "See it ", [], 0),
}


@pytest.mark.parametrize("name", TABLE)
@pytest.mark.parametrize("size", [1, 2, 3, 5, 1000])
def test_an_answer_is_read_the_same_however_it_is_cut(name: str, size: int) -> None:
    given, expected, cited, notices = TABLE[name]
    text, numbers, told = read(given[start : start + size] for start in range(0, len(given), size))
    assert text == expected.lstrip()
    assert numbers == cited
    assert len(told) == notices


def test_what_was_taken_out_is_told_once_and_by_number() -> None:
    assert read(["A [7]. B [7]."])[2] == [
        "The model cited [7], which was not among the passages; the mark was removed."
    ]
    assert read(["A [7]. B [9]."])[2] == [
        "The model cited [7] and [9], which were not among the passages; the marks were removed."
    ]


def test_a_passage_that_found_no_room_may_not_be_cited() -> None:
    assert read(["A [1]. B [3]."], allowed=(1,))[:2] == ("A [1]. B.", [1])


def test_a_citation_follows_its_mark_with_all_that_is_known_of_the_passage() -> None:
    kinds = stream(["It is so ", "[", "2", "]", ". Yes"])
    citation = Citation(n=2, source="two.md", title="TWO.MD", chunk=0, score=0.9)
    assert [each.text or each.citation for each in kinds] == ["It is so", " [2]. Yes", citation]


def test_ordinary_text_is_never_delayed() -> None:
    citer = Citer(lambda: PASSAGES, lambda url: False)
    citer.begin((1,))
    for piece in ("The", " answer", " is", " 42,", "\nand", " (so", " it", " says)"):
        assert "".join(each.text for each in citer.feed(piece)) == piece


def test_a_bracket_that_never_closes_is_let_go() -> None:
    citer = Citer(lambda: PASSAGES, lambda url: False)
    citer.begin((1,))
    out = "".join(each.text for piece in ["see [", *["word "] * 200] for each in citer.feed(piece))
    assert len(out) > 1000 - LONGEST_HELD


def test_a_link_too_long_to_be_held_does_not_become_one() -> None:
    text = f"[{'word ' * 200}](https://evil.example/?q=secret)"
    read_text, _, told = read(text[start : start + 7] for start in range(0, len(text), 7))
    assert "evil" not in read_text
    assert len(told) == 1


def test_what_comes_after_another_call_stands_apart() -> None:
    citer = Citer(lambda: PASSAGES, lambda url: False)
    texts: list[str] = []
    for said in ("Let me look.", " It is so."):
        citer.begin((1,))
        assert not citer.begun
        texts += [each.text for each in itertools.chain(citer.feed(said), citer.flush())]
    assert "".join(texts) == "Let me look.\n\nIt is so."


@pytest.mark.parametrize(
    "nasty", ["![a]" * 2000, "[" * 5000, "[a](b" * 2000, " " * 20000 + "x", "`" * 5000, "[1]" * 2000]
)
def test_hostile_text_takes_no_time(nasty: str) -> None:
    begun = time.perf_counter()
    read([nasty])
    read(nasty[start : start + 3] for start in range(0, len(nasty), 3))
    assert time.perf_counter() - begun < 3
