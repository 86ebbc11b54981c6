"""An encoder that needs no weights."""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray

from agent_gateway.knowledge.lexicon import terms

DIMENSIONS = 384


class HashingEncoder:
    """Text to unit vectors, shape (384,), by hashing its words: texts that share words are close. Implements `Encoder`.

    The same text has the same vector on every machine, and it takes microseconds.
    """

    digest = "hashing"
    precision = "fp32"

    async def encode(self, text: str) -> NDArray[np.float32]:
        """The vector of one text; of one without words, the first unit vector."""
        vector = np.zeros(DIMENSIONS, dtype=np.float32)
        for term in terms(text):
            code = zlib.crc32(term.encode())
            vector[code % DIMENSIONS] += 1.0 if code & (1 << 31) else -1.0
        length = float(np.linalg.norm(vector))
        if not length:
            vector[0] = length = 1.0
        return vector / np.float32(length)
