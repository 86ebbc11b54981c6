from __future__ import annotations

from agent_gateway.knowledge.blocks import Block
from agent_gateway.knowledge.readers.text import read_text, read_yaml


def test_paragraphs_are_joined_and_list_items_keep_their_lines() -> None:
    text = "One line\nwrapped here.\n\n* Item one\n  goes on\n2) Item two\n| a | b |\nAfter.\n\n \n# not ours"
    assert read_text(text) == [
        Block("paragraph", "One line wrapped here."),
        Block("item", "- Item one goes on"),
        Block("item", "2) Item two"),
        Block("row", "| a | b |"),
        Block("paragraph", "After."),
        Block("paragraph", "# not ours"),
    ]


def test_each_yaml_document_is_a_block_with_comments_under_its_object() -> None:
    text = (
        "# first\nkind: Deployment\nmetadata:\n  labels: {}\n  name: 'web'\n--- # next\nvalue: 1\n"
        "---\n\n---\nkind: List\nitems: []\n"
    )
    assert read_yaml(text) == [
        Block("heading", "Deployment web", 2),
        Block("code", "```yaml\n# first\nkind: Deployment\nmetadata:\n  labels: {}\n  name: 'web'\n```"),
        Block("code", "```yaml\n# next\nvalue: 1\n```"),
        Block("heading", "List", 2),
        Block("code", "```yaml\nkind: List\nitems: []\n```"),
    ]
