from __future__ import annotations

import io

import pytest
from pypdf import PdfReader, PdfWriter

from agent_gateway.knowledge.blocks import Block, UnreadableDocument
from agent_gateway.knowledge.documents import read_document
from agent_gateway.knowledge.readers.pdf import read_pdf


def make_pdf(*pages: list[str]) -> bytes:
    """A PDF with these lines on each page, written by hand: pypdf cannot write text."""
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(len(pages)))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for number, lines in enumerate(pages):
        stream = "BT /F1 12 Tf 14 TL 72 720 Td " + " ".join(f"({line}) Tj T*" for line in lines) + " ET"
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F1 3 0 R >> >>"
            f" /Contents {5 + 2 * number} 0 R >>"
        )
        objects.append(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
    out, offsets = io.BytesIO(b""), []
    out.write(b"%PDF-1.4\n")
    for number, body in enumerate(objects, start=1):
        offsets.append(out.tell())
        out.write(f"{number} 0 obj\n{body}\nendobj\n".encode())
    start = out.tell()
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    out.write(f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}".encode())
    out.write(f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n".encode())
    return out.getvalue()


def test_pages_are_sections_and_wrapped_lines_are_joined() -> None:
    data = make_pdf(
        ["The certificate is renewed by a job that runs every", "night. Its name is cert-re-", "newal.", "Next."],
        ["Two."],
    )
    _, blocks = read_pdf(data)
    assert blocks == [
        Block("heading", "Page 1", 2),
        Block("paragraph", "The certificate is renewed by a job that runs every night. Its name is cert-renewal."),
        Block("paragraph", "Next."),
        Block("heading", "Page 2", 2),
        Block("paragraph", "Two."),
    ]


def test_title_comes_from_the_file_name_when_the_pdf_has_none() -> None:
    assert read_document(make_pdf(["Text."]), "a/power-plan.pdf").title == "Power plan"


@pytest.mark.parametrize("keep", [5, 60])
def test_a_damaged_pdf_is_unreadable(keep: int) -> None:
    with pytest.raises(UnreadableDocument, match="PDF"):
        read_pdf(make_pdf(["Some text."])[:keep])


def test_a_pdf_with_a_password_says_so() -> None:
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(make_pdf(["Secret."]))))
    writer.encrypt("password", algorithm="RC4-128")
    out = io.BytesIO()
    writer.write(out)
    with pytest.raises(UnreadableDocument, match="password"):
        read_pdf(out.getvalue())


def test_a_scanned_pdf_has_no_text() -> None:
    with pytest.raises(UnreadableDocument, match="no text"):
        read_document(make_pdf([]), "scan.pdf")
