"""Gateways as real processes, each in its own copy of a prepared folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.gateway_process import GatewayProcess, copy_clone


@pytest.fixture
def clone(prepared_clone: Path, tmp_path: Path) -> Path:
    """A folder with the example documents, ingested, and nothing asked yet."""
    return copy_clone(prepared_clone, tmp_path / "clone")


@pytest.fixture
def gateway(clone: Path) -> Iterator[GatewayProcess]:
    """A gateway in that folder, to be started; it ends with the test."""
    process = GatewayProcess(clone)
    yield process
    process.kill()
