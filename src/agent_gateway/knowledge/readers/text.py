"""Reads plain text and YAML."""

from __future__ import annotations

import re

from agent_gateway.knowledge.blocks import Block, fence, join_lines

_OWN_LINE = re.compile(r"^\s*(?:[-*+•]|\d{1,9}[.)])\s+\S")
_BULLET = re.compile(r"^(\s*)[*+•](\s)")
_ROW = re.compile(r"^\s*\|.*\|\s*$")
_DOCUMENT_START = re.compile(r"^---(?=\s|$)[ \t]*", re.MULTILINE)
_KIND = re.compile(r"^kind:[ \t]*['\"]?([\w.-]+)", re.MULTILINE)
_NAME = re.compile(r"^metadata:[ \t]*\n(?:[ \t]+.*\n|[ \t]*\n|#.*\n)*?[ \t]+name:[ \t]*['\"]?([\w.-]+)", re.MULTILINE)


def read_text(text: str) -> list[Block]:
    """Paragraphs are separated by blank lines; their lines are joined, except list items and table rows."""
    blocks: list[Block] = []
    for paragraph in re.split(r"\n[ \t]*\n", text.replace("\f", "\n\n")):
        wrapped: list[str] = []
        for line in paragraph.splitlines():
            if _OWN_LINE.match(line) or _ROW.match(line):
                _end_block(wrapped, blocks)
            wrapped.append(line)
            if _ROW.match(line):
                _end_block(wrapped, blocks)
        _end_block(wrapped, blocks)
    return blocks


def _end_block(lines: list[str], blocks: list[Block]) -> None:
    text = join_lines(" ".join(lines))
    if text and _ROW.match(lines[0]):
        blocks.append(Block("row", text))
    elif text and _OWN_LINE.match(lines[0]):
        blocks.append(Block("item", _BULLET.sub(r"\1-\2", text)))
    elif text:
        # A line that only looks like a heading is the text's own, and no heading of ours.
        blocks.append(Block("paragraph", text))
    lines.clear()


def read_yaml(text: str) -> list[Block]:
    """Each YAML document as one code block, comments included, under the kind and name of its Kubernetes object."""
    blocks: list[Block] = []
    for part in _DOCUMENT_START.split(text.replace("\r\n", "\n")):
        code = part.strip("\n").rstrip()
        if not code.strip():
            continue
        kind, name = _KIND.search(code), _NAME.search(code + "\n")
        if kind is not None:
            blocks.append(Block("heading", f"{kind[1]} {name[1]}" if name else kind[1], 2))
        blocks.append(Block("code", fence(code, "yaml")))
    return blocks
