"""Fits the packaged head for the built-in intents, so that a first start need not.

    python -m benchmarks.fit_intents

Run it when the examples, the features or the query encoder change; a contract test says when that was forgotten.
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

import numpy as np

from agent_gateway.config import Configuration
from agent_gateway.graph.intent_fit import Examples, fit_head
from agent_gateway.graph.intent_head import PACKAGED_HEAD
from agent_gateway.graph.out_of_scope import load_out_of_scope
from agent_gateway.plugins import load_plugins
from agent_gateway.registry import build_registry
from benchmarks.corpus import open_corpus

TARGET = Path(__file__).parent.parent / "src/agent_gateway" / PACKAGED_HEAD


async def main() -> None:
    """Fit and write."""
    nothing = Path(tempfile.mkdtemp())
    registry = build_registry(Configuration(), load_plugins(nothing, frozenset()))
    examples = Examples(dict(registry.examples), load_out_of_scope())
    async with open_corpus() as corpus:
        vectors = np.stack([corpus.encoder.encode_text(text) for text in examples.texts()])
        digest = examples.digest(f"{corpus.encoder.digest} {corpus.encoder.precision}")
    fit_head(examples, vectors, str(TARGET), digest)
    print(f"wrote {TARGET} ({TARGET.stat().st_size >> 10} KiB), digest {digest}")


if __name__ == "__main__":
    asyncio.run(main())
