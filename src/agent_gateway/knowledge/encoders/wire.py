"""What the gateway and the encoder process say to each other: length-prefixed MessagePack frames."""

from __future__ import annotations

from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from agent_gateway.knowledge.encoders.weights import DIMENSIONS

#: `late`: mean of the sentence's contextual token embeddings within its chunk; `separate`: each sentence on its own.
SentenceMode = Literal["late", "separate"]

#: Sentence vectors are stored as int8: this times a unit vector.
SENTENCE_SCALE = 127.0
#: A frame begins with its length in this many bytes, big-endian.
LENGTH_BYTES = 4


class TextToEncode(msgspec.Struct, frozen=True, array_like=True):
    """A text and the spans of its sentences."""

    text: str
    spans: tuple[tuple[int, int], ...] = ()


class EncodeBatch(msgspec.Struct, frozen=True, tag="encode"):
    """Encode texts and their sentences."""

    texts: tuple[TextToEncode, ...]
    mode: SentenceMode


class ExportQueryEncoder(msgspec.Struct, frozen=True, tag="export"):
    """Export the query encoder into the cache, and judge it on texts and questions."""

    texts: tuple[str, ...]
    questions: tuple[str, ...]


class Encoded(msgspec.Struct, frozen=True, tag="encoded"):
    """Vectors: float32, one per text; int8, one per sentence of all texts in order."""

    vectors: bytes
    sentence_vectors: bytes


class ExportReport(msgspec.Struct, frozen=True, kw_only=True, tag="exported"):
    """How an export compares with the reference. Cosines are per text; `overlap` is that of the top 5, 0 to 1."""

    accepted: bool
    digest: str
    version: int
    minimum_cosine: float
    mean_cosine: float
    overlap: float
    texts: int
    questions: int
    at: str
    reason: str = ""


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """The request could not be carried out; the process goes on."""

    detail: str


Request = EncodeBatch | ExportQueryEncoder
Reply = Encoded | ExportReport | Failed


class TextVectors(msgspec.Struct, frozen=True):
    """One text's vector, float32 (dimensions,), and its sentences' vectors, int8 (sentences, dimensions)."""

    vector: NDArray[np.float32]
    sentences: NDArray[np.int8]


def frame(message: Request | Reply) -> bytes:
    """A message with its length in front."""
    body = msgspec.msgpack.encode(message)
    return len(body).to_bytes(LENGTH_BYTES, "big") + body


def quantize(vectors: NDArray[np.float32]) -> NDArray[np.int8]:
    """Unit vectors as int8; their products with a unit vector are off by 0.002 (standard deviation)."""
    scaled: NDArray[np.float32] = np.clip(np.rint(vectors * SENTENCE_SCALE), -127, 127)
    return scaled.astype(np.int8)


def unpack(encoded: Encoded, texts: tuple[TextToEncode, ...]) -> list[TextVectors]:
    """The vectors text by text."""
    vectors = np.frombuffer(encoded.vectors, dtype=np.float32).reshape(len(texts), DIMENSIONS)
    sentences = np.frombuffer(encoded.sentence_vectors, dtype=np.int8).reshape(-1, DIMENSIONS)
    ends = np.cumsum([len(text.spans) for text in texts], dtype=np.int64)
    return [
        TextVectors(vector, sentences[end - len(text.spans) : end])
        for vector, text, end in zip(vectors, texts, ends, strict=True)
    ]
