from __future__ import annotations

from agent_gateway.knowledge.blocks import Block
from agent_gateway.knowledge.readers.html import html_text, read_html

PAGE = """<!doctype html><html><head><title>Cert &amp; keys</title><style>p {}</style></head><body>
<nav><a href="/">Home</a></nav><h1>Renewal</h1><p>Run the <b>job</b>.<br>Wait
a minute.</p><ul><li>One<ul><li>Inner</li></ul></li><li>Two</li></ul><ol><li>First</li><li>Second</li></ol>
<table><tr><th>Name</th><th>Cost</th></tr><tr><td>a|b</td><td>1</td></tr></table>
<pre>kubectl get pods
  -n x</pre><script>alert(1)</script></body></html>"""


def test_html_becomes_the_same_blocks_as_markdown() -> None:
    title, blocks = read_html(PAGE)
    assert title == "Cert & keys"
    assert blocks == [
        Block("heading", "Renewal", 1),
        Block("paragraph", "Run the job. Wait a minute."),
        Block("item", "- One"),
        Block("item", "  - Inner"),
        Block("item", "- Two"),
        Block("item", "1. First"),
        Block("item", "2. Second"),
        Block("row", "| Name | Cost |\n|---|---|"),
        Block("row", "| a\\|b | 1 |"),
        Block("code", "```\nkubectl get pods\n  -n x\n```"),
    ]


def test_only_main_is_read_where_there_is_one() -> None:
    _, blocks = read_html("<body><p>Menu</p><main><p>Text.</p></main><p>Legal</p></body>")
    assert blocks == [Block("paragraph", "Text.")]


def test_first_heading_is_the_title_without_a_title_element() -> None:
    assert read_html("<h1>Top</h1><p>x</p>")[0] == "Top"


def test_deep_nesting_and_unclosed_tags_are_read() -> None:
    assert html_text("<div>" * 100_000 + "deep" + "<table><tr><td>cell") == "deep cell"
    assert html_text("</p></table></li>a < b & c") == "a < b & c"


def test_text_between_rows_and_lists_is_not_lost_to_markers() -> None:
    _, blocks = read_html("<ul><li><p>First paragraph.</p><p>Second.</p></li></ul>")
    assert blocks == [Block("item", "- First paragraph."), Block("paragraph", "Second.")]
