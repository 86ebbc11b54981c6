from __future__ import annotations

import re
import time
import zlib
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_gateway.graph.surface import BUCKETS, MAXIMUM_CHARACTERS, WEIGHT, surface_features


def reference(text: str) -> dict[int, float]:
    """The same, written for reading."""
    tokens = re.findall(r"[a-z0-9']+|[?!]", text[:MAXIMUM_CHARACTERS].lower())
    found: Counter[str] = Counter()
    for token in tokens:
        padded = f" {token} "
        found[f"={token}"] += 1
        for size in (3, 4, 5):
            grams = [padded[at : at + size] for at in range(len(padded) - size + 1)]
            found.update(grams or [padded])
    found.update(f"~{first}_{second}" for first, second in pairwise(tokens))
    if tokens:
        found[f"^{tokens[0]}"] += 1
        found["^^" + "_".join(tokens[:2])] += 1
    buckets: Counter[int] = Counter()
    for feature, count in found.items():
        buckets[zlib.crc32(feature.encode()) % BUCKETS] += count
    length = sum(count**2 for count in buckets.values()) ** 0.5
    return {bucket: WEIGHT * count / length for bucket, count in buckets.items()}


@given(st.text(max_size=300))
def test_features_are_those_of_a_plain_implementation(text: str) -> None:
    buckets, values = surface_features(text)
    assert dict(zip(buckets.tolist(), values.tolist(), strict=True)) == pytest.approx(reference(text), rel=1e-5)


@given(st.text(alphabet=st.characters(), max_size=500))
def test_any_text_has_features_of_one_length(text: str) -> None:
    buckets, values = surface_features(text)
    assert buckets.dtype == np.int64
    assert values.dtype == np.float32
    assert (np.diff(buckets) > 0).all()
    assert len(buckets) == 0 or (buckets[0] >= 0 and buckets[-1] < BUCKETS)
    assert float(np.linalg.norm(values)) == pytest.approx(WEIGHT if len(buckets) else 0.0, rel=1e-5)


@pytest.mark.parametrize("text", ["", " ", "\0", "\ud800", "日本語", "…"])
def test_a_text_without_latin_words_has_no_features(text: str) -> None:
    buckets, values = surface_features(text)
    assert (len(buckets), len(values)) == (0, 0)


def test_case_does_not_count_and_order_does() -> None:
    def features(text: str) -> tuple[bytes, bytes]:
        buckets, values = surface_features(text)
        return buckets.tobytes(), values.tobytes()

    assert features("Restart THE node") == features("restart the node")
    assert features("is it restarted") != features("restarted it is")
    assert features("restart it") != features("restart it?")


@pytest.mark.parametrize("unit", ["a", "a ", "? ", "restart the node ", "\ud83d", "é"])
def test_a_megabyte_is_read_up_to_a_limit(unit: str) -> None:
    text = unit * (2**20 // len(unit))
    began = time.process_time()
    buckets, values = surface_features(text)
    assert time.process_time() - began < 0.25
    short = surface_features(text[:MAXIMUM_CHARACTERS])
    assert np.array_equal(buckets, short[0])
    assert np.array_equal(values, short[1])
