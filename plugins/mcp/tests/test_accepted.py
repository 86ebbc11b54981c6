"""What is accepted is read back as it was, and nothing else is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from plugins.mcp.agent_gateway_mcp.accepted import Declaration, accept, read_accepted, write_accepted

import agent_gateway as ag

SCHEMA = {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}
READ_FILE = Declaration(
    name="read_file", title="Read", description="Reads\u200b é", input_schema=SCHEMA, annotations={"title": "x"}
)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "accepted.json"
    assert read_accepted(file) == {}
    accepted = {"files": {"read_file": accept(READ_FILE, read=True)}}
    write_accepted(file, accepted)
    assert read_accepted(file) == accepted
    assert "Reads\\u200b é" in file.read_text("utf-8")
    assert [each.name for each in tmp_path.iterdir()] == ["accepted.json"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", "Write"),
        ("description", "Reads everything"),
        ("input_schema", {**SCHEMA, "required": []}),
        ("output_schema", {"type": "object"}),
        ("annotations", {"readOnlyHint": True}),
    ],
)
def test_a_part_that_was_changed_by_hand_is_noticed(tmp_path: Path, field: str, value: object) -> None:
    file = tmp_path / "accepted.json"
    write_accepted(file, {"files": {"read_file": accept(READ_FILE, read=False)}})
    content = json.loads(file.read_text("utf-8"))
    content["servers"]["files"]["read_file"][field] = value
    file.write_text(json.dumps(content), "utf-8")
    with pytest.raises(ag.InvalidInput, match="'read_file' of 'files' is not what was accepted") as caught:
        read_accepted(file)
    assert "agent-gateway mcp accept files" in caught.value.hint


@pytest.mark.parametrize("content", ["", "[]", '{"servers": {"a": {"b": {}}}}', '{"servers": {}, "x": 1}', "[" * 9999])
def test_another_file_is_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "accepted.json"
    file.write_text(content, "utf-8")
    with pytest.raises(ag.InvalidInput, match=r"accepted\.json is no list of accepted tools"):
        read_accepted(file)


def test_a_file_that_cannot_be_written_or_read_is_said_to_be_so(tmp_path: Path) -> None:
    with pytest.raises(ag.StorageFailed, match="cannot be written"):
        write_accepted(tmp_path / "none" / "accepted.json", {})
    with pytest.raises(ag.InvalidInput, match="cannot be read"):
        read_accepted(tmp_path)


def test_what_differs_is_named() -> None:
    other = Declaration(name="read_file", title="Read", description="Other", input_schema={})
    assert READ_FILE.differences(other) == ["description", "input schema", "annotations"]
