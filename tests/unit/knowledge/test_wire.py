from __future__ import annotations

import io

import msgspec
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_gateway.knowledge.encoders.child import read_frame
from agent_gateway.knowledge.encoders.weights import DIMENSIONS
from agent_gateway.knowledge.encoders.wire import (
    LENGTH_BYTES,
    SENTENCE_SCALE,
    EncodeBatch,
    Encoded,
    ExportQueryEncoder,
    Request,
    TextToEncode,
    frame,
    quantize,
    unpack,
)

SPANS = st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99)), max_size=3).map(tuple)
TEXTS = st.builds(TextToEncode, st.text(st.characters(exclude_categories=["Cs"])), SPANS)
REQUESTS: st.SearchStrategy[Request] = st.one_of(
    st.builds(EncodeBatch, st.lists(TEXTS, max_size=3).map(tuple), st.sampled_from(["late", "separate"])),
    st.just(ExportQueryEncoder(("a",), ("b", "c"))),
)


@settings(deadline=None)
@given(st.lists(REQUESTS, max_size=4))
def test_frames_arrive_as_they_were_sent(requests: list[Request]) -> None:
    stream = io.BytesIO(b"".join(frame(request) for request in requests))
    decoder = msgspec.msgpack.Decoder(EncodeBatch | ExportQueryEncoder)
    received = []
    while (body := read_frame(stream)) is not None:
        received.append(decoder.decode(body))
    assert received == requests


def test_a_cut_frame_is_the_end() -> None:
    whole = frame(ExportQueryEncoder(("a",), ()))
    for length in (0, LENGTH_BYTES - 1, LENGTH_BYTES + 1, len(whole) - 1):
        assert read_frame(io.BytesIO(whole[:length])) is None


def test_vectors_are_given_back_text_by_text() -> None:
    vectors = np.random.default_rng(0).normal(size=(2, DIMENSIONS)).astype(np.float32)
    sentences = np.arange(3, dtype=np.int8)[:, None].repeat(DIMENSIONS, axis=1)
    texts = (TextToEncode("a", ((0, 1), (1, 2))), TextToEncode("b", ((0, 1),)))
    first, second = unpack(Encoded(vectors.tobytes(), sentences.tobytes()), texts)
    assert np.array_equal(first.vector, vectors[0])
    assert first.sentences[:, 0].tolist() == [0, 1]
    assert second.sentences[:, 0].tolist() == [2]
    assert unpack(Encoded(b"", b""), ()) == []


def test_quantized_sentences_keep_their_products() -> None:
    vectors = np.random.default_rng(1).normal(size=(200, DIMENSIONS)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    products = quantize(vectors).astype(np.float32) @ vectors.T / SENTENCE_SCALE
    assert np.abs(products - vectors @ vectors.T).max() < 0.015
