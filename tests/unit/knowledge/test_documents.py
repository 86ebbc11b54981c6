from __future__ import annotations

from pathlib import Path

import pytest

from agent_gateway.knowledge.blocks import Block, UnreadableDocument, title_from_name
from agent_gateway.knowledge.documents import FORMATS, MAXIMUM_BYTES, read_bytes, read_document


@pytest.mark.parametrize(
    ("data", "source", "reason"),
    [
        (b"\xff\x00\x01", "a.md", "binary"),
        (b"caf\xe9", "a.txt", "not UTF-8"),
        (b"a\x00b", "a.md", "binary"),
        (b"---\ntitle: x\n---\n", "a.md", "no text"),
        (b"# Only a heading\n", "a.md", "no text"),
        (b"<script>x</script>", "a.html", "no text"),
        (b"%PDF-nonsense", "a.pdf", "not a readable PDF"),
        (b"text", "a.docx", "unsupported"),
    ],
)
def test_a_bad_document_says_why(data: bytes, source: str, reason: str) -> None:
    with pytest.raises(UnreadableDocument) as raised:
        read_document(data, source)
    assert reason in raised.value.reason
    assert raised.value.gone


@pytest.mark.parametrize(
    ("data", "source"),
    [
        ("\ufeffText é.".encode(), "a.md"),
        ("Text é.".encode("utf-16"), "a.txt"),
        ('<meta charset="latin-1"><p>Text é.</p>'.encode("latin-1"), "a.html"),
        ("Text\r\né.".encode(), "a.TXT"),
    ],
)
def test_encodings_that_a_file_declares_are_read(data: bytes, source: str) -> None:
    assert read_document(data, source).blocks == (Block("paragraph", "Text é."),)


def test_deeply_nested_markdown_is_read_as_far_as_it_goes() -> None:
    assert read_document(b"> " * 50_000 + b"x\n\nAfter.", "a.md").blocks


def test_deeply_nested_front_matter_is_reported() -> None:
    with pytest.raises(UnreadableDocument, match="nested too deeply"):
        read_document(b"---\na: " + b"[" * 50_000 + b"\n---\nx\n", "a.md")


@pytest.mark.parametrize(("content", "reason"), [(b"", "empty"), (b" \n\t", "empty")])
def test_an_empty_file_is_gone(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "a.md").write_bytes(content)
    with pytest.raises(UnreadableDocument) as raised:
        read_bytes(tmp_path / "a.md")
    assert (raised.value.reason, raised.value.gone) == (reason, True)


def test_a_file_that_cannot_be_opened_is_not_gone(tmp_path: Path) -> None:
    with pytest.raises(UnreadableDocument) as raised:
        read_bytes(tmp_path / "missing.md")
    assert not raised.value.gone


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "a.md").open("wb") as file:
        file.truncate(MAXIMUM_BYTES + 1)
    with pytest.raises(UnreadableDocument, match="larger than 20 MB"):
        read_bytes(tmp_path / "a.md")


@pytest.mark.parametrize("suffix", [suffix for suffix in FORMATS if suffix != ".pdf"])
def test_every_listed_text_format_is_read(suffix: str) -> None:
    assert "Hello there." in read_document(b"Hello there.", f"some-page{suffix}").blocks[0].text


def test_a_title_is_made_of_the_file_name() -> None:
    assert title_from_name("docs/flux-operations_guide.md") == "Flux operations guide"
