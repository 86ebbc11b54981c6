"""Collections in memory, made of sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from agent_gateway.knowledge.encoders.wire import quantize
from agent_gateway.knowledge.index import CollectionIndex, IndexedChunk
from agent_gateway.testing import HashingEncoder

Page = Sequence[Sequence[str]]


def encode(text: str) -> NDArray[np.float32]:
    """A unit vector: texts that share words are close."""
    # It waits for nothing, so it can be run inside and outside of an event loop.
    coroutine = HashingEncoder().encode(text)
    try:
        coroutine.send(None)
    except StopIteration as done:
        vector: NDArray[np.float32] = done.value
        return vector
    raise AssertionError("the test encoder waited for something")


def a_chunk(*sentences: str, source: str = "a.md", chunk: int = 0, title: str = "", headings: str = "") -> IndexedChunk:
    """A chunk of sentences, with a space between them."""
    spans, text = [], ""
    for sentence in sentences:
        spans.append((len(text), len(text) + len(sentence)))
        text += f"{sentence} "
    return IndexedChunk(source, title or source, headings, chunk, text.rstrip(), tuple(spans))


def an_index(*chunks: IndexedChunk) -> CollectionIndex:
    """An index over chunks, encoded by their words."""
    vectors = [encode(chunk.text) for chunk in chunks]
    sentences = [
        quantize(np.stack([encode(chunk.text[start:end]) for start, end in chunk.spans]))
        if chunk.spans
        else np.zeros((0, 384), np.int8)
        for chunk in chunks
    ]
    return CollectionIndex(chunks, np.stack(vectors) if vectors else np.zeros((0, 384), np.float32), sentences)


def a_library(pages: Mapping[str, Page]) -> CollectionIndex:
    """An index over pages: source -> chunks -> sentences."""
    return an_index(
        *(
            a_chunk(*sentences, source=source, chunk=number)
            for source, chunks in pages.items()
            for number, sentences in enumerate(chunks)
        )
    )


def random_vectors(seed: int, count: int, dimensions: int = 16) -> NDArray[np.float32]:
    """Unit vectors."""
    drawn = np.random.default_rng(seed).normal(size=(count, dimensions)).astype(np.float32)
    return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True), dtype=np.float32)
