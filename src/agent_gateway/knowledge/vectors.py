"""Products of many vectors with one, on the thread that asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Bytes = NDArray[np.int8]

#: Rows of one product. OpenBLAS splits a larger one between threads, which beside other work on the machine takes ten
#: times as long as one thread does; in the next cores' caches nothing is gained by it either.
BLOCK = 1024
_HIGHEST = 127


def multiply(rows: Floats | Bytes, vector: Floats) -> Floats:
    """The product of each row with the vector, shape (rows,); whole numbers are taken as they are."""
    result = np.empty(len(rows), dtype=np.float32)
    for start in range(0, len(rows), BLOCK):
        block = rows[start : start + BLOCK].astype(np.float32, copy=False)
        np.dot(block, vector, out=result[start : start + BLOCK])
    return result


def shorten(vector: Floats) -> tuple[Bytes, float]:
    """A vector in a quarter of its memory: whole numbers, and what they have to be multiplied by."""
    scale = float(np.abs(vector).max(initial=0.0)) / _HIGHEST or 1.0
    return np.rint(vector / scale).astype(np.int8), scale
