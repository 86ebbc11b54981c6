"""The file with the tools that were accepted: what each said of itself then, and a hash of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import msgspec

import agent_gateway as ag

from .untrusted import clean_line

ACCEPT = "agent-gateway mcp accept"
LIST = "agent-gateway mcp list"


class Declaration(msgspec.Struct, frozen=True, kw_only=True):
    """What a server says of a tool. Nothing of it is shown to a model before somebody has accepted it."""

    name: str
    title: str = ""
    description: str = ""
    input_schema: dict[str, Any]
    #: What its structured results look like; they are checked against it.
    output_schema: dict[str, Any] | None = None
    annotations: dict[str, Any] = {}

    def sha256(self) -> str:
        """The hash of all of it, in hexadecimal digits."""
        told = json.dumps(msgspec.to_builtins(self), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(told.encode()).hexdigest()

    def differences(self, other: Declaration) -> list[str]:
        """The parts in which two declarations differ, in words."""
        return [
            field.replace("_", " ") for field in self.__struct_fields__ if getattr(self, field) != getattr(other, field)
        ]


class AcceptedTool(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A tool as it was when it was accepted. `read`: whoever accepted it says that it only reads."""

    title: str
    description: str
    input_schema: dict[str, Any]
    output_schema: dict[str, Any] | None
    annotations: dict[str, Any]
    sha256: str
    read: bool = False

    def declared(self, name: str) -> Declaration:
        """What the server said, under the name it has there."""
        return Declaration(
            name=name,
            title=self.title,
            description=self.description,
            input_schema=self.input_schema,
            output_schema=self.output_schema,
            annotations=self.annotations,
        )


#: By server and by the server's name of the tool.
Accepted: TypeAlias = Mapping[str, Mapping[str, AcceptedTool]]


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    servers: dict[str, dict[str, AcceptedTool]]


def accept(declaration: Declaration, *, read: bool) -> AcceptedTool:
    """What is stored of a tool."""
    stored = {field: getattr(declaration, field) for field in declaration.__struct_fields__ if field != "name"}
    return AcceptedTool(**stored, sha256=declaration.sha256(), read=read)


def read_accepted(file: Path, *, renewed: str = "") -> Accepted:
    """What was accepted; nothing when there is no file. `InvalidInput` when it is not as it was written.

    Of the server that is being accepted anew, what was changed since is left out.
    """
    try:
        written = file.read_bytes()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ag.InvalidInput(f"{file} cannot be read: {error.strerror}", code="mcp_accepted_file") from None
    try:
        found = msgspec.json.decode(written, type=_File).servers
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ag.InvalidInput(f"{file} is no list of accepted tools: {error}", code="mcp_accepted_file") from None
    for server, tools in found.items():
        for name in [name for name, tool in tools.items() if tool.declared(name).sha256() != tool.sha256]:
            if server != renewed:
                shown = clean_line(name, 100)
                detail = f"{file}: '{shown}' of '{server}' is not what was accepted: its sha256 is another"
                raise ag.InvalidInput(detail, code="mcp_accepted_file", hint=f"run `{ACCEPT} {server} {shown}` again")
            del tools[name]
    return found


def write_accepted(file: Path, accepted: Accepted) -> None:
    """Write the file anew, whole or not at all, in an order that compares well; `StorageFailed` when it cannot be."""
    content = json.dumps({"servers": msgspec.to_builtins(accepted)}, ensure_ascii=False, indent=2, sort_keys=True)
    part = file.with_name(f".{file.name}.part")
    try:
        part.write_text(ag.show_unseen(content) + "\n", encoding="utf-8")
        part.replace(file)
    except OSError as error:
        raise ag.StorageFailed(f"{file} cannot be written: {error.strerror}") from None
