from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest

from agent_gateway.knowledge.features import CHUNK_FEATURES, QUERY_FEATURES, SENTENCE_FEATURES
from agent_gateway.knowledge.ranker import LinearModel, Ranker, load_ranker


def test_the_packaged_models_weigh_every_feature_and_nothing_else() -> None:
    ranker = load_ranker()
    for model, names in (
        (ranker.chunk, CHUNK_FEATURES),
        (ranker.query, QUERY_FEATURES),
        (ranker.sentence, SENTENCE_FEATURES),
    ):
        assert set(model.weights) == set(names), "run `python -m benchmarks.fit_ranker`"
        assert all(math.isfinite(value) for value in (*model.weights.values(), model.bias))
    assert 0 < ranker.threshold < 1


def test_names_of_features_are_said_once() -> None:
    for names in (CHUNK_FEATURES, QUERY_FEATURES, SENTENCE_FEATURES):
        assert len(set(names)) == len(names)


def test_a_linear_model_adds_up_weighted_features_by_name() -> None:
    model = LinearModel(weights={"b": 2.0, "a": -1.0}, bias=0.5)
    features = np.array([[1.0, 10.0], [0.0, 1.0], [3.0, 0.0]], dtype=np.float32)
    assert model.score(features, ("a", "b")).tolist() == [19.5, 2.5, -2.5]
    assert model.score(features, ("b", "a")).tolist() == [-7.5, -0.5, 6.5]
    with pytest.raises(KeyError):
        model.score(features, ("a", "c"))


def test_the_probability_of_an_answer_follows_the_score() -> None:
    weights = dict.fromkeys(QUERY_FEATURES, 0.0) | {"cosine": 1.0}
    ranker = msgspec.structs.replace(load_ranker(), query=LinearModel(weights=weights))
    features = np.zeros(len(QUERY_FEATURES), dtype=np.float32)
    found = []
    for score in (-20.0, -1.0, 0.0, 1.0, 20.0):
        features[QUERY_FEATURES.index("cosine")] = score
        found.append(ranker.answerable(features))
    assert found == pytest.approx([1 / (1 + math.exp(-score)) for score in (-20, -1, 0, 1, 20)])


def test_a_file_with_more_in_it_is_another_format() -> None:
    data = msgspec.json.decode(msgspec.json.encode(load_ranker()))
    with pytest.raises(msgspec.ValidationError, match="colour"):
        msgspec.json.decode(msgspec.json.encode({**data, "colour": "red"}), type=Ranker)
