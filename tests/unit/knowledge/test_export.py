from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from agent_gateway.knowledge.encoders.export import (
    EXPORT_VERSION,
    export_folder,
    find_export,
    report_parity,
    top_overlap,
)
from agent_gateway.knowledge.encoders.quantization import BLOCK, quantize_blocks, write_quantized

SAMPLE = (["text"] * 200, ["question"] * 100)


@pytest.mark.parametrize(
    ("cosine", "overlap", "reason"),
    [(0.995, 0.98, ""), (0.985, 0.98, "a cosine of 0.9850"), (0.995, 0.94, "an overlap of 0.940"), (0.98, 0.9, ";")],
)
def test_an_export_is_accepted_only_when_it_agrees(cosine: float, overlap: float, reason: str) -> None:
    cosines = np.full(200, 0.999, np.float32)
    cosines[7] = cosine
    report = report_parity("digest", cosines, overlap, SAMPLE)
    assert report.accepted == (reason == "")
    assert reason in report.reason
    assert report.minimum_cosine == pytest.approx(cosine)


def test_nothing_to_judge_by_is_no_acceptance() -> None:
    assert not report_parity("digest", np.zeros(0, np.float32), 1.0, ([], [])).accepted


def test_overlap_counts_common_members_of_the_best_five() -> None:
    scores = np.arange(20, dtype=np.float32)[None]
    assert top_overlap(scores, scores) == 1
    assert top_overlap(scores, -scores) == 0
    moved = scores.copy()
    moved[0, 15] = -1
    assert top_overlap(scores, moved) == pytest.approx(0.8)


def test_only_a_whole_export_of_these_weights_and_version_is_found(tmp_path: Path) -> None:
    report = report_parity("digest", np.ones(200, np.float32), 1.0, SAMPLE)
    folder = export_folder(tmp_path, "digest")
    assert find_export(tmp_path, "digest") is None
    folder.mkdir()
    (folder / "report.json").write_bytes(msgspec.json.encode(report))
    assert find_export(tmp_path, "digest") is None
    (folder / "query.onnx").write_bytes(b"graph")
    found = find_export(tmp_path, "digest")
    assert found is not None
    assert found.graph == folder / "query.onnx"
    for changed in (
        msgspec.structs.replace(report, digest="x"),
        msgspec.structs.replace(report, version=EXPORT_VERSION + 1),
    ):
        (folder / "report.json").write_bytes(msgspec.json.encode(changed))
        assert find_export(tmp_path, "digest") is None
    (folder / "report.json").write_text("{")
    assert find_export(tmp_path, "digest") is None


def test_a_rejected_export_is_remembered_without_a_graph(tmp_path: Path) -> None:
    report = report_parity("digest", np.zeros(200, np.float32), 1.0, SAMPLE)
    export_folder(tmp_path, "digest").mkdir()
    (export_folder(tmp_path, "digest") / "report.json").write_bytes(msgspec.json.encode(report))
    found = find_export(tmp_path, "digest")
    assert found is not None
    assert found.graph is None
    assert not found.report.accepted


def test_blocks_are_quantized_to_within_half_a_step() -> None:
    matrix = np.random.default_rng(0).normal(size=(BLOCK * 3 - 5, 7)).astype(np.float32)
    matrix[:, 3] = 0
    values, scales = quantize_blocks(matrix)
    assert values.shape == (7, 3, BLOCK)
    restored = ((values.astype(np.float32) - 128) * scales.reshape(7, 3, 1)).reshape(7, -1)[:, : matrix.shape[0]].T
    assert (np.abs(restored - matrix) <= scales.max() / 2 + 1e-6).all()
    assert (restored[:, 3] == 0).all()


def test_a_quantized_graph_computes_nearly_the_same(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    table, weight = rng.normal(size=(50, 64)).astype(np.float32), rng.normal(size=(64, 32)).astype(np.float32)
    graph = helper.make_graph(
        [
            helper.make_node("Gather", ["m.word_embeddings.weight", "ids"], ["found"]),
            helper.make_node("MatMul", ["found", "weight"], ["out"], name="product"),
        ],
        "graph",
        [helper.make_tensor_value_info("ids", TensorProto.INT64, ["n"])],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, ["n", 32])],
        [numpy_helper.from_array(table, "m.word_embeddings.weight"), numpy_helper.from_array(weight, "weight")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, str(tmp_path / "plain.onnx"))
    write_quantized(tmp_path / "plain.onnx", tmp_path / "small.onnx")
    session = onnxruntime.InferenceSession(str(tmp_path / "small.onnx"), providers=["CPUExecutionProvider"])
    (out,) = session.run(None, {"ids": np.array([3, 49, 0], dtype=np.int64)})
    expected = table[[3, 49, 0]] @ weight
    assert np.abs(out - expected).max() < 0.02 * np.abs(expected).max()
    assert (tmp_path / "small.onnx.data").stat().st_mode & 0o044 == 0o044
