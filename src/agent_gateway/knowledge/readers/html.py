"""Reads HTML in one pass, without building a tree: nesting of any depth is safe."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from agent_gateway.knowledge.blocks import Block, fence, join_lines, table_row, with_rule

_IGNORED = frozenset({"script", "style", "template", "noscript", "svg", "nav", "footer", "aside", "form", "button"})
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_BREAK = re.compile(
    "address|article|blockquote|body|br|dd|details|div|dl|dt|fieldset|figcaption|figure|header|hr|html|li|main|ol|p"
    "|section|summary|table|tbody|tfoot|thead|ul"
)


def read_html(text: str) -> tuple[str, list[Block]]:
    """The title and the blocks; inside `<main>` only, when there is one. Navigation and scripts are left out."""
    reader = _Reader(main_only="<main" in text.lower())
    reader.feed(text)
    reader.close()
    reader.flush()
    first = next((block.text for block in reader.blocks if block.kind == "heading" and block.level == 1), "")
    return reader.title or first, reader.blocks


def html_text(text: str) -> str:
    """The bare text of a piece of HTML."""
    return " ".join(block.text for block in read_html(text)[1])


class _Reader(HTMLParser):
    def __init__(self, *, main_only: bool) -> None:
        super().__init__(convert_charrefs=True)
        self.title = ""
        self.blocks: list[Block] = []
        self._outside = main_only
        self._main_only = main_only
        self._ignored: list[str] = []
        self._text: list[str] = []
        self._heading = 0
        self._lists: list[int | None] = []
        self._marker = ""
        self._cells: list[str] | None = None
        self._header = False
        self._pre = False
        self._in_title = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._ignored or tag in _IGNORED:
            self._ignored += [tag] if tag in _IGNORED else []
            return
        if tag in {"title", "main"}:
            self._in_title = tag == "title"
            self._outside = self._outside and tag != "main"
        elif tag in _HEADINGS or tag == "pre":
            self.flush()
            self._heading, self._pre = _HEADINGS.get(tag, 0), tag == "pre"
        elif tag in {"ul", "ol", "li"}:
            self._open_list(tag)
        elif tag in {"tr", "td", "th"}:
            self._open_cell(tag)
        elif _BREAK.fullmatch(tag):
            self._break(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._ignored:
            if tag == self._ignored[-1]:
                self._ignored.pop()
            return
        if tag == "title":
            self._in_title = False
        elif tag in _HEADINGS or tag == "pre":
            self.flush()
            self._heading, self._pre = 0, False
        elif tag in {"ul", "ol"}:
            self.flush()
            self._lists = self._lists[:-1]
        elif tag in {"tr", "td", "th"}:
            self._close_cell(tag)
        elif _BREAK.fullmatch(tag):
            self._break(tag)
        if tag == "main" and self._main_only:
            self._outside = True

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.title = join_lines(f"{self.title} {data}")
        elif not self._ignored and not self._outside:
            self._text.append(data)

    def _open_list(self, tag: str) -> None:
        self.flush()
        if tag != "li":
            self._lists.append(0 if tag == "ol" else None)
            return
        number = self._lists[-1] if self._lists else None
        if number is not None:
            self._lists[-1] = number + 1
        self._marker = "-" if number is None else f"{number + 1}."

    def _open_cell(self, tag: str) -> None:
        if tag == "tr":
            self.flush()
            self._cells, self._header = [], False
        elif self._cells is not None:
            self._text.clear()
            self._header = self._header or tag == "th"

    def _close_cell(self, tag: str) -> None:
        if self._cells is None:
            return
        if tag != "tr":
            self._cells.append(join_lines("".join(self._text)))
            self._text.clear()
            return
        cells, self._cells = self._cells, None
        if any(cells):
            row = table_row(cells)
            first = not self.blocks or self.blocks[-1].kind != "row"
            self.blocks.append(Block("row", with_rule(row, len(cells)) if first and self._header else row))
        self._text.clear()

    def _break(self, tag: str) -> None:
        if self._cells is not None or (tag == "br" and not self._pre):
            self._text.append(" ")
        elif self._pre:
            self._text.append("\n" if tag == "br" else "")
        else:
            self.flush()

    def flush(self) -> None:
        """End the block that is being collected."""
        raw = "".join(self._text)
        self._text.clear()
        text = join_lines(raw)
        if not text:
            return
        if self._heading:
            self.blocks.append(Block("heading", text, self._heading))
        elif self._pre:
            self.blocks.append(Block("code", fence(raw.strip("\r\n").rstrip())))
        elif self._marker:
            indent = "  " * (max(len(self._lists), 1) - 1)
            self.blocks.append(Block("item", f"{indent}{self._marker} {text}"))
            self._marker = ""
        else:
            self.blocks.append(Block("paragraph", text))
