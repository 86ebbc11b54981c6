"""Reads a file into a document; a file that cannot be read says why."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from types import MappingProxyType

from agent_gateway.knowledge.blocks import Block, Document, UnreadableDocument, title_from_name
from agent_gateway.knowledge.readers.html import read_html
from agent_gateway.knowledge.readers.markdown import read_markdown
from agent_gateway.knowledge.readers.text import read_text, read_yaml
from agent_gateway.redaction import redact

#: File name suffix -> format; files with other suffixes are not read.
FORMATS: Mapping[str, str] = MappingProxyType(
    {
        ".md": "markdown",
        ".markdown": "markdown",
        ".txt": "text",
        ".html": "html",
        ".htm": "html",
        ".yaml": "yaml",
        ".yml": "yaml",
        ".pdf": "pdf",
    }
)

#: Larger files are skipped: they are data, not documents.
MAXIMUM_BYTES = 20 * 1024 * 1024

_DECLARED_CHARSET = re.compile(rb"<meta[^>]+charset=[\"']?([\w.-]+)", re.IGNORECASE)


def read_bytes(path: Path) -> bytes:
    """The content of a file; `UnreadableDocument` when it is empty, too large or cannot be opened."""
    try:
        with path.open("rb") as file:
            data = file.read(MAXIMUM_BYTES + 1)
    except OSError as error:
        # It may be there again next time: what was ingested earlier stays.
        raise UnreadableDocument(f"cannot be read: {error.strerror or error}", gone=False) from error
    if len(data) > MAXIMUM_BYTES:
        raise UnreadableDocument(f"larger than {MAXIMUM_BYTES // 1024 // 1024} MB")
    if not data.strip():
        raise UnreadableDocument("empty")
    return data


def read_document(data: bytes, source: str) -> Document:
    """The document in `data`, in the format that the suffix of `source` names; `UnreadableDocument` when it is not."""
    suffix = PurePosixPath(source).suffix.lower()
    try:
        title, blocks = _read_format(data, FORMATS.get(suffix, ""))
    except RecursionError as error:
        raise UnreadableDocument("nested too deeply") from error
    if not any(block.kind != "heading" for block in blocks):
        raise UnreadableDocument("no text in it")
    return Document(source, title or title_from_name(source), tuple(blocks))


def _read_format(data: bytes, name: str) -> tuple[str, list[Block]]:
    match name:
        case "markdown":
            return read_markdown(_decode(data))
        case "html":
            return read_html(_decode(data))
        case "text":
            return "", read_text(_decode(data))
        case "yaml":
            return "", read_yaml(_decode(data))
        case "pdf":
            # pypdf takes a quarter of a second to import and few folders hold a PDF.
            from agent_gateway.knowledge.readers.pdf import read_pdf  # noqa: PLC0415 - see above

            title, blocks = read_pdf(data)
            return redact(title), [replace(block, text=redact(block.text)) for block in blocks]
        case _:
            raise UnreadableDocument(f"of an unsupported type; supported are {', '.join(FORMATS)}")


def _decode(data: bytes) -> str:
    declared = _DECLARED_CHARSET.search(data[:2048])
    encodings = ["utf-8-sig", *([declared[1].decode("ascii")] if declared else [])]
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings.insert(0, "utf-16")
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except (UnicodeError, LookupError):
            continue
        if "\0" in text:
            raise UnreadableDocument("binary, not text")
        # Before anything is made of it: what is not in a chunk cannot come out of one.
        return redact(text.replace("\r\n", "\n").replace("\r", "\n"))
    raise UnreadableDocument("binary, not text" if b"\0" in data else "not UTF-8 text")
