from __future__ import annotations

import pytest

from agent_gateway.knowledge.blocks import Block
from agent_gateway.knowledge.readers.markdown import read_markdown


def test_front_matter_names_the_title_and_is_no_text() -> None:
    title, blocks = read_markdown('---\ntitle: "Flux  FAQ"\nweight: 1\n---\n# Other\n\nText.\n')
    assert title == "Flux FAQ"
    assert blocks == [Block("heading", "Other", 1), Block("paragraph", "Text.")]


def test_toml_front_matter_names_the_title() -> None:
    assert read_markdown('+++\ntitle = "A page"\n+++\nText.')[0] == "A page"


def test_first_top_heading_is_the_title_without_front_matter() -> None:
    assert read_markdown("Intro.\n\n## Small\n\n# Big `code` {#anchor}\n")[0] == "Big code"


@pytest.mark.parametrize(
    "text", ["---\n[broken: yaml\n---\nBody.", "---\njust words\n---\nBody.", "---\nno end\n\nBody."]
)
def test_what_only_looks_like_front_matter_stays_text(text: str) -> None:
    title, blocks = read_markdown(text)
    assert title == ""
    assert Block("paragraph", "Body.") in blocks


def test_soft_wrapped_lines_are_joined_and_inline_markup_stays() -> None:
    _, blocks = read_markdown("Some **bold**\nand a [link](https://x.y)\nand `code`.\n\nHard  \nbreak.")
    assert blocks == [
        Block("paragraph", "Some **bold** and a [link](https://x.y) and `code`."),
        Block("paragraph", "Hard"),
        Block("paragraph", "break."),
    ]


def test_list_items_keep_marker_and_depth() -> None:
    _, blocks = read_markdown("1. First\n2. Second\n   wrapped\n   - Inner\n\n     more\n\n* Star")
    assert blocks == [
        Block("item", "1. First"),
        Block("item", "2. Second wrapped"),
        Block("item", "  - Inner"),
        Block("paragraph", "more"),
        Block("item", "- Star"),
    ]


def test_tables_become_rows_and_the_header_row_has_its_rule() -> None:
    _, blocks = read_markdown("Name | Cost\n:--- | ---:\n`a\\|b`   |  1\n\nAfter.")
    assert blocks == [
        Block("row", "| Name | Cost |\n|---|---|"),
        Block("row", "| `a\\|b` | 1 |"),
        Block("paragraph", "After."),
    ]


def test_code_is_verbatim_between_fences() -> None:
    _, blocks = read_markdown("```yaml {linenos=1}\na:\n\n  - {{< not a shortcode >}}\n```\n\n    indented ``` code\n")
    assert blocks == [
        Block("code", "```yaml\na:\n\n  - {{< not a shortcode >}}\n```"),
        Block("code", "````\nindented ``` code\n````"),
    ]


def test_shortcode_lines_comments_and_tags_are_dropped() -> None:
    text = (
        "{{< tabs >}}\nKept {{< ref >}} words.\n{{% alert\n  title=x %}}\n\n<!-- hidden\nnote -->\n\n"
        "<div>\nShown <b>text</b>\n</div>\n\nSee <!-- no --> this.\n"
    )
    assert [block.text for block in read_markdown(text)[1]] == ["Kept {{< ref >}} words.", "Shown text", "See this."]


def test_quotes_and_headings_lose_their_marks() -> None:
    _, blocks = read_markdown("> NOTE: Be\n> careful.\n\nSetext\n---\n\n### Get `flux` from [here](x) <a id=y></a>\n")
    assert blocks == [
        Block("paragraph", "NOTE: Be careful."),
        Block("heading", "Setext", 2),
        Block("heading", "Get flux from here", 3),
    ]


def test_odd_line_separators_do_not_shift_table_rows() -> None:
    _, blocks = read_markdown("a\x0bb\u2028c\n\n| x | y |\n|---|---|\n| 1 | 2 |\n")
    assert blocks[-1] == Block("row", "| 1 | 2 |")
