from __future__ import annotations

import os
from pathlib import Path

import pytest

from agent_gateway.errors import InvalidInput
from agent_gateway.knowledge.documents import MAXIMUM_BYTES
from agent_gateway.knowledge.folder import scan


def write(path: Path, text: str = "Text.") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_documents_are_found_with_sources_relative_to_the_folder(tmp_path: Path) -> None:
    for name in ("b.md", "a/c.TXT", "a/deep/d.html", "a/.hidden.md", ".git/e.md", "a/pic.png", "a/q.png", "Makefile"):
        write(tmp_path / name)
    found = scan(tmp_path)
    assert [file.source for file in found.files] == ["a/c.TXT", "a/deep/d.html", "b.md"]
    assert found.skipped == {
        "*.png": "2 of an unsupported type",
        "files without suffix": "1 of an unsupported type",
    }
    assert found.files[2].size == 5
    assert found.files[2].mtime == (tmp_path / "b.md").stat().st_mtime_ns


def test_links_are_followed_inside_the_folder_only(tmp_path: Path) -> None:
    write(tmp_path / "outside.md")
    inside = write(tmp_path / "docs" / "..data" / "page.md").parent
    (tmp_path / "docs" / "page.md").symlink_to(inside / "page.md")
    (tmp_path / "docs" / "out.md").symlink_to(tmp_path / "outside.md")
    (tmp_path / "docs" / "broken.md").symlink_to("nowhere.md")
    (tmp_path / "docs" / "loop").symlink_to(tmp_path / "docs")
    (tmp_path / "docs" / "self.md").symlink_to("self.md")
    found = scan(tmp_path / "docs")
    assert [file.source for file in found.files] == ["page.md"]
    assert sorted(found.skipped) == ["broken.md", "out.md", "self.md"]


def test_what_is_no_document_is_skipped_with_a_reason(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.md")
    with (tmp_path / "big.md").open("wb") as file:
        file.truncate(MAXIMUM_BYTES + 1)
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/bad\xff.md")).write_text("Text.")
    found = scan(tmp_path)
    assert found.files == []
    assert found.skipped == {
        "pipe.md": "not a regular file",
        "big.md": "larger than 20 MB",
        "bad\\udcff.md": "its name is not UTF-8",
    }


def test_one_file_is_found_alone(tmp_path: Path) -> None:
    write(tmp_path / "a.md")
    write(tmp_path / "b.md")
    found = scan(tmp_path / "a.md")
    assert [file.source for file in found.files] == ["a.md"]
    assert found.missing(["b.md"]) == []
    assert "supported are" in scan(write(tmp_path / "c.docx")).skipped["c.docx"]


@pytest.mark.parametrize("name", ["nothing", "nothing/below", "a\0b"])
def test_a_path_that_does_not_exist_is_invalid(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInput):
        scan(tmp_path / name)


def test_a_device_is_invalid() -> None:
    with pytest.raises(InvalidInput):
        scan(Path("/dev/null"))


def test_known_sources_are_missing_unless_they_could_not_be_looked_at(tmp_path: Path) -> None:
    write(tmp_path / "a.md")
    found = scan(tmp_path)
    found.unread.append("locked")
    assert found.missing(["a.md", "gone.md", "locked/x.md", "locked-not/y.md"]) == ["gone.md", "locked-not/y.md"]


def test_sources_can_be_seen_from_a_folder_above(tmp_path: Path) -> None:
    write(tmp_path / "docs" / "a" / "b.md")
    found = scan(tmp_path / "docs" / "a" / "b.md").relative_to(tmp_path / "docs")
    assert [file.source for file in found.files] == ["a/b.md"]
    assert found.missing(["a/b.md", "c.md"]) == []
    assert scan(tmp_path / "docs" / "a").relative_to(tmp_path / "docs" / "a").files[0].source == "b.md"
