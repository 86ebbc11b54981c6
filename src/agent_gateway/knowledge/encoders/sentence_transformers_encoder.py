"""The reference encoder: sentence-transformers on torch. The only module that imports them.

Importing takes seconds and 400 MB, so a serving gateway loads this only when the ONNX export was rejected.
"""

from __future__ import annotations

import asyncio
import os
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

# Read when the libraries are imported: nothing may be fetched, and no progress bars.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

import numpy as np
import torch
from numpy.typing import NDArray
from sentence_transformers import SentenceTransformer

from agent_gateway.knowledge.encoders.weights import DIMENSIONS, MAXIMUM_TOKENS, Weights
from agent_gateway.knowledge.encoders.wire import SentenceMode, TextToEncode

Floats = NDArray[np.float32]

#: Rows of a batch, and tokens when its rows are short; larger batches take memory and are no faster.
BATCH_ROWS = 16
BATCH_TOKENS = 1024


class SentenceTransformersEncoder:
    """Text to unit vectors in float32; implements `Encoder`. Construction blocks for seconds.

    One thread is the fastest for a single query, two for bulk work. The number is torch's, so the process's.
    """

    precision = "fp32"

    def __init__(self, weights: Weights, *, threads: int = 1) -> None:
        torch.set_num_threads(threads)
        self.digest = weights.digest
        self._folder = weights.folder
        self._model = SentenceTransformer(str(weights.folder), device="cpu", local_files_only=True).eval()
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="encoder")

    async def encode(self, text: str) -> Floats:
        """The vector of one text, shape (dimensions,)."""
        vectors = await asyncio.get_running_loop().run_in_executor(self._executor, self.encode_texts, [text])
        return np.asarray(vectors[0], dtype=np.float32)

    def close(self) -> None:
        """Give the worker thread back."""
        self._executor.shutdown(wait=True, cancel_futures=True)

    def encode_texts(self, texts: Sequence[str]) -> Floats:
        """The vectors of texts, shape (texts, dimensions). Blocking."""
        return self._encode([TextToEncode(text) for text in texts])[0]

    def encode_sentences(self, texts: Sequence[TextToEncode], mode: SentenceMode) -> tuple[Floats, Floats]:
        """The vectors of texts, and of all their sentences in order, shape (sentences, dimensions). Blocking."""
        if mode == "late":
            vectors, found = self._encode(texts)
        else:
            vectors, found = self.encode_texts([text.text for text in texts]), {}
        owners = [(row, number) for row, text in enumerate(texts) for number in range(len(text.spans))]
        missing = [key for key in owners if key not in found]
        alone = self.encode_texts([_sentence(texts[row], number) for row, number in missing])
        found.update(zip(missing, alone, strict=True))
        sentences = np.stack([found[key] for key in owners]) if owners else np.zeros((0, DIMENSIONS), np.float32)
        return vectors, sentences

    def write_onnx(self, path: Path) -> None:
        """Write the transformer (without pooling) as an ONNX graph with a dynamic batch and length."""
        model = SentenceTransformer(
            str(self._folder), device="cpu", local_files_only=True, model_kwargs={"attn_implementation": "eager"}
        )
        # Two rows that differ in words and length: from equal rows a wrong graph is traced without an error.
        example = self._tokenize(["How is a certificate renewed before it expires?", "Restart it."])
        names = ["input_ids", "attention_mask", "token_type_ids"]
        with warnings.catch_warnings():
            # The tracing exporter announces its successor, which needs two more libraries and gives the same graph.
            warnings.simplefilter("ignore")
            torch.onnx.export(
                _LastHiddenState(model[0].auto_model.eval()),
                tuple(example[name] for name in names),
                str(path),
                input_names=names,
                output_names=["last_hidden_state"],
                dynamic_axes={name: {0: "batch", 1: "sequence"} for name in (*names, "last_hidden_state")},
                opset_version=17,
                dynamo=False,
            )

    def _tokenize(self, texts: Sequence[str], *, offsets: bool = False) -> dict[str, torch.Tensor]:
        return dict(
            self._model.tokenizer(
                list(texts),
                padding=True,
                truncation=True,
                max_length=MAXIMUM_TOKENS,
                return_tensors="pt",
                return_token_type_ids=True,
                return_offsets_mapping=offsets,
            )
        )

    def _encode(self, texts: Sequence[TextToEncode]) -> tuple[Floats, dict[tuple[int, int], Floats]]:
        """The texts' vectors, and those of the sentences that lie within the tokens that are read."""
        vectors = np.zeros((len(texts), DIMENSIONS), np.float32)
        sentences: dict[tuple[int, int], Floats] = {}
        for rows in _batches([len(text.text) for text in texts]):
            features = self._tokenize([texts[row].text for row in rows], offsets=True)
            offsets = features.pop("offset_mapping").numpy()
            with torch.inference_mode():
                output = self._model.forward(features)
            vectors[rows] = output["sentence_embedding"].numpy()
            tokens = output["token_embeddings"].numpy()
            for place, row in enumerate(rows):
                for number, vector in _pool_spans(texts[row].spans, offsets[place], tokens[place]):
                    sentences[row, number] = vector
        return vectors, sentences


class _LastHiddenState(torch.nn.Module):  # type: ignore[misc] # torch is not followed, its classes are Any
    def __init__(self, model: torch.nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor, token_type_ids: torch.Tensor
    ) -> torch.Tensor:
        output = self.model(input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids)
        hidden: torch.Tensor = output.last_hidden_state
        return hidden


def _sentence(text: TextToEncode, number: int) -> str:
    start, end = text.spans[number]
    return text.text[start:end]


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Row numbers in batches of similar length, so that little is padded."""
    rows = sorted(range(len(lengths)), key=lambda row: lengths[row], reverse=True)
    while rows:
        # About four characters a token.
        tokens = min(max(lengths[rows[0]] // 4, 1), MAXIMUM_TOKENS)
        count = max(BATCH_ROWS, BATCH_TOKENS // tokens)
        yield rows[:count]
        rows = rows[count:]


def _pool_spans(
    spans: Sequence[tuple[int, int]], offsets: NDArray[np.int64], tokens: Floats
) -> Iterator[tuple[int, Floats]]:
    """The unit mean of the token embeddings within each span that was read to its end."""
    starts, ends = offsets[:, 0], offsets[:, 1]
    # Marks and padding have the empty offset (0, 0).
    real = ends > starts
    read_to = int(ends.max(initial=0))
    cut = int(real.sum()) >= MAXIMUM_TOKENS - 2
    for number, (start, end) in enumerate(spans):
        inside = real & (starts >= start) & (ends <= end)
        if not inside.any() or (cut and end > read_to):
            continue
        mean = tokens[inside].mean(axis=0)
        yield number, mean / max(float(np.linalg.norm(mean)), 1e-9)
