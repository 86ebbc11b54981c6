"""Reads Markdown; the words stay as they are, only line wrapping goes."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field

import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token

from agent_gateway.knowledge.blocks import Block, fence, join_lines, with_rule
from agent_gateway.knowledge.readers.html import html_text

_FRONT_MATTER = re.compile(r"\A(---|\+\+\+)[ \t]*\r?\n(.*?)^\1[ \t]*$", re.DOTALL | re.MULTILINE)
_SHORTCODE_LINES = re.compile(r"^[ \t]*(?:\{\{[<%](?:(?!\}\}).)*[>%]\}\}[ \t]*)+$", re.DOTALL | re.MULTILINE)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_HARD_BREAK = re.compile(r"(?: {2,}|\\)\n")
_LINK = re.compile(r"!?\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])")
_HEADING_NOISE = re.compile(r"\{#[^}]*\}\s*$|</?(?:a|b|br|code|em|i|img|kbd|span|strong|sub|sup)\b[^>]*>|\*\*|`")


def read_markdown(text: str) -> tuple[str, list[Block]]:
    """The title (front matter, else the first level-1 heading, else empty) and the blocks."""
    title, body = _split_front_matter(text)
    # Inline markup is kept as written, so inline parsing would be wasted.
    parser = MarkdownIt("commonmark").enable("table").disable("inline")
    writer = _Writer(body.split("\n"))
    for token in parser.parse(body):
        writer.take(token)
    first = next((block.text for block in writer.blocks if block.kind == "heading" and block.level == 1), "")
    return title or first, writer.blocks


def _split_front_matter(text: str) -> tuple[str, str]:
    match = _FRONT_MATTER.match(text)
    if match is None:
        return "", text
    try:
        fields = yaml.safe_load(match[2]) if match[1] == "---" else tomllib.loads(match[2])
    except (yaml.YAMLError, ValueError):
        fields = None
    if not isinstance(fields, dict):
        # A page may begin with a thematic break: without fields this is no front matter, unless it is empty.
        return "", text if match[2].strip() else text[match.end() :]
    title = fields.get("title")
    return join_lines(title) if isinstance(title, str) else "", text[match.end() :]


@dataclass
class _Writer:
    """Collects blocks from the parser's tokens."""

    lines: Sequence[str]
    blocks: list[Block] = field(default_factory=list)
    depth: int = 0
    marker: str = ""
    heading: int = 0
    row: int | None = None
    cells: int = 0

    def take(self, token: Token) -> None:
        match token.type:
            case "bullet_list_open" | "ordered_list_open":
                self.depth += 1
            case "bullet_list_close" | "ordered_list_close":
                self.depth -= 1
            case "list_item_open":
                # Ordered items carry their number in `info`.
                self.marker = f"{token.info}{token.markup}" if token.info else "-"
            case "list_item_close":
                self.marker = ""
            case "heading_open":
                self.heading = int(token.tag[1:])
            case "heading_close":
                self.heading = 0
            case "fence":
                self._code(token.content, token.info.split(" ")[0].split("{")[0].strip())
            case "code_block":
                self._code(token.content, "")
            case "html_block":
                self._paragraph(html_text(_COMMENT.sub("", token.content)))
            case _:
                self._take_text(token)

    def _take_text(self, token: Token) -> None:
        match token.type:
            case "tr_open":
                self.row, self.cells = token.map[0] if token.map else None, 0
            case "th_open" | "td_open":
                self.cells += 1
            case "tr_close":
                self._row()
            case "thead_close" if self.blocks:
                self.blocks[-1] = Block("row", with_rule(self.blocks[-1].text, self.cells))
            case "inline" if self.heading:
                self._heading(token.content)
            case "inline" if self.row is None:
                self._paragraph(token.content)

    def _heading(self, content: str) -> None:
        text = join_lines(_HEADING_NOISE.sub("", _LINK.sub(r"\1", content)))
        if text:
            self.blocks.append(Block("heading", text, self.heading))

    def _paragraph(self, content: str) -> None:
        content = _SHORTCODE_LINES.sub("", _COMMENT.sub("", content))
        lines = [line for part in _HARD_BREAK.split(content) if (line := join_lines(part))]
        if not lines:
            return
        marker, self.marker = self.marker, ""
        if marker:
            indent = "  " * (self.depth - 1)
            self.blocks.append(Block("item", f"{indent}{marker} " + "\n".join(lines)))
        else:
            self.blocks.extend(Block("paragraph", line) for line in lines)

    def _code(self, content: str, language: str) -> None:
        code = content.strip("\n").rstrip()
        if code.strip():
            self.blocks.append(Block("code", fence(code, language)))

    def _row(self) -> None:
        line = join_lines(self.lines[self.row].lstrip("> \t")) if self.row is not None else ""
        self.row = None
        if line:
            start, end = "" if line.startswith("|") else "| ", "" if line.endswith("|") else " |"
            self.blocks.append(Block("row", start + line + end))
