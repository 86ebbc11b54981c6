"""The wording of a message as hashed features: what a sentence vector blurs (imperatives, typos, identifiers).

Character n-grams survive misspelling, word pairs and the opening words tell a command from a question.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Hash buckets; the head has one weight per bucket and class.
BUCKETS = 8192
#: How much the wording weighs against the unit sentence vector.
WEIGHT = 0.8
#: Longer messages are read up to here; the sentence vector is cut at a similar length.
MAXIMUM_CHARACTERS = 2000

_TOKEN = re.compile(r"[a-z0-9']+|[?!]")
_GRAM_LENGTHS = (3, 4, 5)


def surface_features(text: str) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The occupied buckets, ascending, and their values; the values have the Euclidean length `WEIGHT`."""
    counts: dict[int, int] = {}
    for feature in _features(_TOKEN.findall(text[:MAXIMUM_CHARACTERS].lower())):
        bucket = zlib.crc32(feature.encode()) % BUCKETS
        counts[bucket] = counts.get(bucket, 0) + 1
    buckets = np.array(sorted(counts), dtype=np.int64)
    values = np.array([counts[bucket] for bucket in buckets.tolist()], dtype=np.float32)
    length = float(np.linalg.norm(values))
    return buckets, values * np.float32(WEIGHT / length) if length else values


def _features(tokens: list[str]) -> Iterator[str]:
    for token in tokens:
        padded = f" {token} "
        for size in _GRAM_LENGTHS:
            for start in range(max(1, len(padded) - size + 1)):
                yield padded[start : start + size]
        yield f"={token}"
    for first, second in pairwise(tokens):
        yield f"~{first}_{second}"
    if tokens:
        yield f"^{tokens[0]}"
        yield f"^^{'_'.join(tokens[:2])}"
