from __future__ import annotations

import io
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from agent_gateway.graph.intent_head import OUT_OF_SCOPE, SCALES, IntentHead, load_head
from agent_gateway.graph.surface import BUCKETS, WEIGHT, surface_features

CATEGORIES = ("deploy", OUT_OF_SCOPE, "query", "train")
DIGEST = "a digest"


def unit(number: int) -> NDArray[np.float32]:
    """The vector that is all about one of the categories."""
    return np.asarray(np.eye(len(CATEGORIES))[number], dtype=np.float32)


def arrays(temperature: float = 1.0) -> dict[str, Any]:
    """A head that reads the category from the vector's place, 4 logits apart, and the scales from it too."""
    dimensions = len(CATEGORIES)
    weights = np.zeros((dimensions + BUCKETS, len(CATEGORIES)), dtype=np.float16)
    weights[:dimensions] = 4 * np.eye(dimensions)
    found: dict[str, Any] = {
        "digest": np.array(DIGEST),
        "temperature": np.float32(temperature),
        "category_weights": weights,
        "category_biases": np.zeros(len(CATEGORIES), np.float32),
        "category_classes": np.array(CATEGORIES),
    }
    for target, classes in zip(SCALES, ((0, 2), (0, 1, 3), (1, 2)), strict=True):
        scale = np.zeros((dimensions + BUCKETS, len(classes)), dtype=np.float16)
        scale[0, -1] = 1
        found |= {
            f"{target}_weights": scale,
            f"{target}_biases": np.zeros(len(classes), np.float32),
            f"{target}_classes": np.array(classes),
        }
    return found


def head(**changes: Any) -> IntentHead:
    return IntentHead({**arrays(), **changes}, CATEGORIES)


def softmax(values: NDArray[Any], at: int) -> float:
    return float(np.exp(values[at]) / np.exp(values).sum())


def test_the_confidence_is_the_probability_among_all_categories() -> None:
    intent = head().predict("", unit(2), ())
    assert intent.category == "query"
    assert intent.confidence == pytest.approx(softmax(4 * unit(2), 2), abs=1e-4)


def test_only_allowed_categories_are_chosen_and_the_rest_takes_nothing() -> None:
    intent = head().predict("", unit(2), ("deploy", "train"))
    assert intent.category in {"deploy", "train"}
    # Both are equally likely, and so is "none of them".
    assert intent.confidence == pytest.approx(1 / 3, abs=1e-4)
    assert head().predict("", unit(3), ("train", "query")).category == "train"


def test_what_belongs_to_no_intent_lowers_the_confidence_and_is_never_returned() -> None:
    tilted = unit(2) + unit(1)
    intent, sure = head().predict("", tilted, ()), head().predict("", unit(2), ())
    assert (intent.category, sure.category) == ("query", "query")
    assert intent.confidence < 0.5 < sure.confidence
    outside = head().predict("", 2 * unit(1), ("query",))
    assert outside.category == "query"
    assert outside.confidence < 0.01


@given(st.lists(st.floats(-3, 3, width=32), min_size=4, max_size=4), st.text(max_size=40))
def test_every_vector_has_an_intent_with_a_probability(values: list[float], text: str) -> None:
    intent = head().predict(text, np.array(values, dtype=np.float32), ())
    assert intent.category in {"deploy", "query", "train"}
    assert 0 <= intent.confidence <= 1


def test_a_higher_temperature_is_less_sure_and_changes_no_choice() -> None:
    hot = IntentHead(arrays(temperature=3.0), CATEGORIES).predict("", unit(2), ())
    assert hot.category == "query"
    assert hot.confidence == pytest.approx(softmax(4 * unit(2) / 3, 2), abs=1e-4)


def test_scales_have_the_values_they_were_fitted_with() -> None:
    low, high = head().predict("", unit(2), ()), head().predict("", unit(0), ())
    assert (low.complexity, low.reasoning_depth, low.accuracy_requirement) == ("low", 0, 1)
    assert (high.complexity, high.reasoning_depth, high.accuracy_requirement) == ("high", 3, 2)


def test_the_wording_counts_beside_the_vector() -> None:
    changed = arrays()
    buckets, values = surface_features("restart")
    changed["category_weights"][len(CATEGORIES) + buckets, 3] = values * (8 / WEIGHT**2)
    worded = IntentHead(changed, CATEGORIES)
    assert worded.predict("look", unit(2), ()).category == "query"
    assert worded.predict("Restart", unit(2), ()).category == "train"


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    path = tmp_path / "head.npz"
    np.savez_compressed(path, **arrays())
    return path


def test_a_stored_head_predicts_as_before(stored: Path) -> None:
    loaded = load_head(stored, DIGEST)
    assert loaded is not None
    assert loaded.predict("restart it", unit(3), ()) == head().predict("restart it", unit(3), ())


def test_a_head_of_other_examples_or_none_at_all_is_not_taken(stored: Path) -> None:
    assert load_head(stored, "another digest") is None
    assert load_head(stored.with_name("missing.npz"), DIGEST) is None
    assert load_head(stored.parent, DIGEST) is None


def test_a_head_without_all_its_parts_is_not_taken(tmp_path: Path) -> None:
    for name in arrays():
        path = tmp_path / f"{name}.npz"
        np.savez_compressed(path, **{key: value for key, value in arrays().items() if key != name})
        assert load_head(path, DIGEST) is None


def test_a_damaged_head_is_not_taken_wherever_the_damage_is(stored: Path) -> None:
    content = stored.read_bytes()
    whole = load_head(stored, DIGEST)
    assert whole is not None
    expected = whole.predict("restart it", unit(0), ())
    source = random.Random(7)
    refused = 0
    for _ in range(400):
        damaged = bytearray(content)
        damaged[source.randrange(len(content))] ^= 1 << source.randrange(8)
        stored.write_bytes(damaged)
        found = load_head(stored, DIGEST)
        refused += found is None
        # A date in the archive may be wrong without any harm.
        assert found is None or found.predict("restart it", unit(0), ()) == expected
    assert refused > 150


@pytest.mark.parametrize("length", [0, 1, 30, 0.5, -1])
def test_a_head_that_was_cut_off_is_not_taken(stored: Path, length: float) -> None:
    content = stored.read_bytes()
    stored.write_bytes(content[: int(length * len(content)) if isinstance(length, float) else length])
    assert load_head(stored, DIGEST) is None


def saved(value: Any, *, allow_pickle: bool = False) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, value, allow_pickle=allow_pickle)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "content",
    [b"hello", b"PK\x03\x04" + bytes(100), saved(np.zeros(3)), saved({"a": 1}, allow_pickle=True), b"\x80\x04N."],
    ids=["text", "archive", "array", "pickled array", "pickle"],
)
def test_what_is_no_head_is_not_taken(stored: Path, content: bytes) -> None:
    stored.write_bytes(content)
    assert load_head(stored, DIGEST) is None
