"""The query encoder: the exported graph on onnxruntime, without torch."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Tokenizer

from agent_gateway.knowledge.encoders.weights import MAXIMUM_TOKENS, Weights

#: The tokens that are read come from the first characters; tokenizing a megabyte would take a second.
_MAXIMUM_CHARACTERS = 16_384


class OnnxEncoder:
    """Text to unit vectors; implements `Encoder`. Construction blocks for about 0.1 s."""

    precision = "int8"

    def __init__(self, graph: Path, weights: Weights) -> None:
        self.digest = weights.digest
        self._tokenizer = Tokenizer.from_file(str(weights.folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(MAXIMUM_TOKENS)
        options = onnxruntime.SessionOptions()
        # One query at a time on one thread: more threads are slower beside other work, and the arena keeps memory.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False
        options.enable_mem_pattern = False
        self._session = onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="encoder")

    async def encode(self, text: str) -> NDArray[np.float32]:
        """The vector of one text, shape (dimensions,)."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, self.encode_text, text)

    def encode_text(self, text: str) -> NDArray[np.float32]:
        """The vector of one text. Blocking."""
        # A lone surrogate is no character, and the tokenizer refuses it.
        text = text[:_MAXIMUM_CHARACTERS].encode("utf-8", "replace").decode("utf-8")
        tokens = np.array([self._tokenizer.encode(text).ids], dtype=np.int64)
        inputs = {"input_ids": tokens, "attention_mask": np.ones_like(tokens), "token_type_ids": np.zeros_like(tokens)}
        hidden = self._session.run(["last_hidden_state"], inputs)[0]
        mean = hidden[0].mean(axis=0)
        return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-9), dtype=np.float32)

    def close(self) -> None:
        """Give the worker thread back."""
        self._executor.shutdown(wait=True, cancel_futures=True)
