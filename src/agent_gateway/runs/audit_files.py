"""The two files of the audit log that lie beside the database: the key, and the head."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import msgspec

from agent_gateway.errors import StorageFailed

KEY_FILE = "audit.key"
HEAD_FILE = "audit.head"
KEY_BYTES = 32


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """The last row of the log that is known to have been durable, and the mac of that."""

    seq: int
    hash: str
    mac: str


_HEAD = msgspec.json.Decoder(Head)


def read_key(folder: Path) -> bytes | None:
    """The key, None when there is no such file; `StorageFailed` when it cannot be read."""
    path = folder / KEY_FILE
    try:
        return bytes.fromhex(path.read_text("ascii"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise StorageFailed(
            f"the key of the audit log cannot be read: {error}", hint=f"restore {path} from a backup"
        ) from error


def create_key(folder: Path) -> bytes:
    """A new key, stored so that only this user can read it; `StorageFailed` when it cannot be."""
    key = secrets.token_bytes(KEY_BYTES)
    _create(folder / KEY_FILE, key.hex().encode() + b"\n")
    return key


def read_head(folder: Path) -> Head | None:
    """The head, None when there is no file with one in it."""
    try:
        return _HEAD.decode((folder / HEAD_FILE).read_bytes())
    except (OSError, msgspec.MsgspecError):
        return None


def create_head(folder: Path, head: Head) -> Head:
    """Write the first head, which must be there before there is a row; `StorageFailed` when it cannot be."""
    _create(folder / HEAD_FILE, msgspec.json.encode(head) + b"\n")
    return head


def write_head(folder: Path, head: Head) -> None:
    """Put a head in the place of the one before, whole or not at all; `OSError`."""
    _replace(folder / HEAD_FILE, msgspec.json.encode(head) + b"\n")


def _create(path: Path, data: bytes) -> None:
    try:
        _replace(path, data)
        opened = os.open(path.parent, os.O_RDONLY)
        try:
            # The new name has to last, too; when a name is used again, that of an older content is good enough.
            os.fsync(opened)
        finally:
            os.close(opened)
    except OSError as error:
        raise StorageFailed(
            f"cannot write {path}: {error.strerror}", hint="check the permissions of --data-dir"
        ) from error


def _replace(path: Path, data: bytes) -> None:
    beside = path.with_name(f"{path.name}.new")
    # What was left there by a process that was killed may have another mode.
    beside.unlink(missing_ok=True)
    file = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(file, data)
        os.fsync(file)
    finally:
        os.close(file)
    beside.replace(path)
