"""The encoder process: reads requests on stdin, answers on stdout, and ends when stdin does.

It holds torch so that the gateway need not. Run by `BulkEncoder` as `python -m agent_gateway.knowledge.encoders.child`.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import msgspec

from agent_gateway.errors import GatewayError
from agent_gateway.knowledge.encoders.export import export
from agent_gateway.knowledge.encoders.weights import Weights, find_weights
from agent_gateway.knowledge.encoders.wire import (
    LENGTH_BYTES,
    EncodeBatch,
    Encoded,
    ExportQueryEncoder,
    Failed,
    Reply,
    Request,
    frame,
    quantize,
)

if TYPE_CHECKING:
    from agent_gateway.knowledge.encoders.sentence_transformers_encoder import SentenceTransformersEncoder

#: The serving gateway beside it comes first.
_NICENESS = 5
_BULK_THREADS = 2


class EncoderProcess:
    """Carries out requests; loads the reference encoder with the first one."""

    def __init__(self, cache: Path) -> None:
        self._cache = cache
        self._weights: Weights | None = None
        self._encoder: SentenceTransformersEncoder | None = None

    def answer(self, request: Request) -> Reply:
        """The reply to a request; an expected failure is a reply too."""
        try:
            if isinstance(request, EncodeBatch):
                return self._encode(request)
            return export(self._cache, self._find_weights(), request.texts, request.questions)
        except GatewayError as error:
            return Failed(str(error))

    def _find_weights(self) -> Weights:
        if self._weights is None:
            self._weights = find_weights(self._cache)
        return self._weights

    def _encode(self, request: EncodeBatch) -> Encoded:
        if self._encoder is None:
            from agent_gateway.knowledge.encoders.sentence_transformers_encoder import (  # noqa: PLC0415 - takes seconds
                SentenceTransformersEncoder,
            )

            self._encoder = SentenceTransformersEncoder(self._find_weights(), threads=_BULK_THREADS)
        vectors, sentences = self._encoder.encode_sentences(request.texts, request.mode)
        return Encoded(vectors.tobytes(), quantize(sentences).tobytes())


def read_frame(stream: BinaryIO) -> bytes | None:
    """The next frame's body; None when the stream ends."""
    head = stream.read(LENGTH_BYTES)
    if len(head) < LENGTH_BYTES:
        return None
    body = stream.read(int.from_bytes(head, "big"))
    return body if len(body) == int.from_bytes(head, "big") else None


def main(arguments: list[str]) -> None:
    """Serve until stdin ends; the first argument is the encoders' cache folder."""
    # Replies go to the real stdout; whatever a library prints goes to stderr.
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    os.nice(_NICENESS)
    requests: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_read_requests, args=(requests,), daemon=True).start()
    process = EncoderProcess(Path(arguments[0]))
    decoder = msgspec.msgpack.Decoder(EncodeBatch | ExportQueryEncoder)
    while True:
        replies.write(frame(process.answer(decoder.decode(requests.get()))))
        replies.flush()


def _read_requests(requests: queue.SimpleQueue[bytes]) -> None:
    """Queue requests; when stdin ends so does the process, even in the middle of its work: nobody wants the result."""
    while (body := read_frame(sys.stdin.buffer)) is not None:
        requests.put(body)
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
