"""Reads the text of a PDF, page by page. A scanned PDF has none."""

from __future__ import annotations

import io
import re
import struct
import zlib

from pypdf import PdfReader
from pypdf.errors import DependencyError, PyPdfError

from agent_gateway.knowledge.blocks import Block, UnreadableDocument, join_lines

#: What pypdf raises on damaged files, besides its own errors.
_DAMAGE = (
    PyPdfError,
    DependencyError,
    ArithmeticError,
    AttributeError,
    LookupError,
    NotImplementedError,
    OSError,
    RecursionError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)
_HYPHENATED = re.compile(r"(?<=[a-z])-\n(?=[a-z])")
_SHORT_LINE = 0.75


def read_pdf(data: bytes) -> tuple[str, list[Block]]:
    """The title and the blocks, each page under a heading `Page n`; `UnreadableDocument` when damaged or locked."""
    try:
        reader = PdfReader(io.BytesIO(data), strict=False)
        if reader.is_encrypted and not reader.decrypt(""):
            raise UnreadableDocument("the PDF is protected by a password")
        title = reader.metadata.title if reader.metadata else None
        pages = [page.extract_text() for page in reader.pages]
    except _DAMAGE as error:
        raise UnreadableDocument(f"not a readable PDF: {str(error) or type(error).__name__}") from error
    blocks: list[Block] = []
    for number, page in enumerate(pages, start=1):
        paragraphs = [Block("paragraph", text) for text in _split_paragraphs(page)]
        if paragraphs:
            blocks += [Block("heading", f"Page {number}", 2), *paragraphs]
    return join_lines(title) if isinstance(title, str) else "", blocks


def _split_paragraphs(page: str) -> list[str]:
    """Lines joined to paragraphs: one ends at a blank line, or where a full sentence ends a short line."""
    lines = _HYPHENATED.sub("", page).splitlines()
    width = max((len(line) for line in lines), default=0)
    paragraphs: list[str] = []
    current: list[str] = []
    for line in [*lines, ""]:
        current.append(line)
        ends = line.rstrip().endswith((".", "!", "?", ":")) and len(line) < _SHORT_LINE * width
        if ends or not line.strip():
            text = join_lines(" ".join(current))
            paragraphs += [text] if text else []
            current = []
    return paragraphs
