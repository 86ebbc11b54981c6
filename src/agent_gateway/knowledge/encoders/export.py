"""Exports the reference encoder to ONNX for queries, and accepts the export only when it agrees with the reference."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from numpy.typing import NDArray

from agent_gateway.errors import StorageFailed
from agent_gateway.knowledge.encoders.wire import ExportReport

if TYPE_CHECKING:
    from agent_gateway.knowledge.encoders.sentence_transformers_encoder import SentenceTransformersEncoder
    from agent_gateway.knowledge.encoders.weights import Weights

#: Raised when the export itself changes: an older one in the cache is then not used.
EXPORT_VERSION = 1
MINIMUM_COSINE = 0.99
MINIMUM_OVERLAP = 0.95
#: With fewer there is nothing to judge by.
MINIMUM_TEXTS, MINIMUM_QUESTIONS = 20, 10
TEXTS, QUESTIONS = 200, 100
TOP = 5

_GRAPH, _REPORT = "query.onnx", "report.json"


@dataclass(frozen=True, slots=True)
class Export:
    """A cached export: how it did, and its graph when it was accepted."""

    report: ExportReport
    graph: Path | None


def export_folder(cache: Path, digest: str) -> Path:
    """Where the export of these weights is kept below `cache`."""
    return cache / f"{digest[:16]}-{EXPORT_VERSION}"


def find_export(cache: Path, digest: str) -> Export | None:
    """The export in the cache; None when there is none yet. Blocking, without importing anything heavy."""
    folder = export_folder(cache, digest)
    try:
        report = msgspec.json.decode((folder / _REPORT).read_bytes(), type=ExportReport)
    except (OSError, msgspec.DecodeError):
        return None
    if report.digest != digest or report.version != EXPORT_VERSION:
        return None
    graph = folder / _GRAPH
    if report.accepted and not graph.is_file():
        return None
    return Export(report, graph if report.accepted else None)


def export(cache: Path, weights: Weights, texts: Sequence[str], questions: Sequence[str]) -> ExportReport:
    """Write the query encoder below `cache` and judge it on texts and questions. Blocking, about 10 s; needs torch.

    The folder appears whole or not at all. A rejected export leaves only its report.
    """
    from agent_gateway.knowledge.encoders.quantization import write_quantized  # noqa: PLC0415 - find_export stays light
    from agent_gateway.knowledge.encoders.sentence_transformers_encoder import (  # noqa: PLC0415 - as above
        SentenceTransformersEncoder,
    )

    reference = SentenceTransformersEncoder(weights, threads=2)
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache, prefix=".export-") as name:
            work = Path(name) / "export"
            work.mkdir()
            reference.write_onnx(Path(name) / "reference.onnx")
            write_quantized(Path(name) / "reference.onnx", work / _GRAPH)
            report = _judge(reference, weights, work / _GRAPH, (texts[:TEXTS], questions[:QUESTIONS]))
            if not report.accepted:
                shutil.rmtree(work)
                work.mkdir()
            (work / _REPORT).write_bytes(msgspec.json.format(msgspec.json.encode(report)))
            _move(work, export_folder(cache, weights.digest))
    except OSError as error:
        raise StorageFailed(f"cannot write the query encoder: {error}") from error
    finally:
        reference.close()
    return report


def _judge(
    reference: SentenceTransformersEncoder, weights: Weights, graph: Path, sample: tuple[Sequence[str], Sequence[str]]
) -> ExportReport:
    from agent_gateway.knowledge.encoders.onnx_encoder import OnnxEncoder  # noqa: PLC0415 - find_export stays light

    texts, questions = sample
    if len(texts) < MINIMUM_TEXTS or len(questions) < MINIMUM_QUESTIONS:
        return report_parity(weights.digest, np.zeros(0, np.float32), 0.0, sample)
    candidate = OnnxEncoder(graph, weights)
    try:
        expected = reference.encode_texts([*texts, *questions])
        actual = np.stack([candidate.encode_text(text) for text in (*texts, *questions)])
    finally:
        candidate.close()
    corpus, count = expected[: len(texts)], len(texts)
    cosines = (corpus * actual[:count]).sum(axis=1)
    overlap = top_overlap(expected[count:] @ corpus.T, actual[count:] @ corpus.T)
    return report_parity(weights.digest, cosines, overlap, sample)


def report_parity(
    digest: str, cosines: NDArray[np.float32], overlap: float, sample: tuple[Sequence[str], Sequence[str]]
) -> ExportReport:
    """The verdict over cosines with the reference and the overlap of the best texts."""
    minimum = float(cosines.min(initial=1.0)) if len(cosines) else 0.0
    reasons = []
    if not len(cosines):
        reasons.append("too few texts to judge by")
    elif minimum < MINIMUM_COSINE:
        reasons.append(f"a cosine of {minimum:.4f} is below {MINIMUM_COSINE}")
    if len(cosines) and overlap < MINIMUM_OVERLAP:
        reasons.append(f"an overlap of {overlap:.3f} is below {MINIMUM_OVERLAP}")
    return ExportReport(
        accepted=not reasons,
        digest=digest,
        version=EXPORT_VERSION,
        minimum_cosine=minimum,
        mean_cosine=float(cosines.mean()) if len(cosines) else 0.0,
        overlap=overlap,
        texts=len(sample[0]),
        questions=len(sample[1]),
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        reason="; ".join(reasons),
    )


def top_overlap(expected: NDArray[np.float32], actual: NDArray[np.float32]) -> float:
    """The mean share of common members of the best five columns of each row."""
    best = [np.argsort(-scores, axis=1, kind="stable")[:, :TOP] for scores in (expected, actual)]
    return float(np.mean([len(set(one) & set(other)) / len(one) for one, other in zip(*best, strict=True)]))


def _move(work: Path, target: Path) -> None:
    if target.exists():
        # A folder cannot be replaced in one step; without its report the old one no longer counts.
        shutil.rmtree(target)
    work.rename(target)
