from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from agent_gateway.knowledge.encoders.weights import DIMENSIONS
from agent_gateway.knowledge.encoders.wire import TextToEncode, TextVectors, quantize
from agent_gateway.knowledge.lancedb_store import Store
from agent_gateway.knowledge.rows import TableMark

MARK = TableMark(encoder="weights", precision="fp32", sentences="late")


def hash_vector(text: str) -> NDArray[np.float32]:
    """A unit vector that depends on the text alone."""
    seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
    vector = np.random.default_rng(seed).normal(size=DIMENSIONS)
    return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)


class HashEncoder:
    """Encodes texts by their hashes, and counts them."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    async def encode(self, texts: Sequence[TextToEncode]) -> list[TextVectors]:
        self.texts += [text.text for text in texts]
        found = []
        for text in texts:
            sentences = [hash_vector(text.text[start:end]) for start, end in text.spans]
            stacked = np.stack(sentences) if sentences else np.zeros((0, DIMENSIONS), np.float32)
            found.append(TextVectors(hash_vector(text.text), quantize(stacked)))
        return found


@pytest.fixture
def mark() -> TableMark:
    return MARK


@pytest.fixture
def encoder() -> HashEncoder:
    return HashEncoder()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await Store.open(tmp_path / "db knowledge #1")
    yield opened
    opened.close()
