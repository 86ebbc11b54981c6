"""Makes an exported graph small and fast: 8-bit matrices for products, 8-bit word embeddings.

Weights are quantized in blocks of 32 and rows of 384, which keeps every cosine above 0.99; per-channel quantization of
whole columns (onnxruntime's dynamic quantization) does not.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

BLOCK = 32
#: onnxruntime computes with int8 activations, quantized block by block as well.
_ACCURACY_LEVEL = 4
_WORD_EMBEDDINGS = "word_embeddings.weight"
#: Smaller tensors stay in the graph's own file.
_EXTERNAL_FROM_BYTES = 1024


def write_quantized(source: Path, target: Path) -> None:
    """Write `source` quantized to `target`, with its weights in `<target>.data`, which onnxruntime maps into memory."""
    model = onnx.load(str(source))
    tensors = {tensor.name: tensor for tensor in model.graph.initializer}
    nodes: list[NodeProto] = []
    added: list[TensorProto] = []
    replaced: set[str] = set()
    for node in model.graph.node:
        weight = tensors.get(node.input[1]) if node.op_type == "MatMul" else None
        table = tensors.get(node.input[0]) if node.op_type == "Gather" else None
        if weight is not None and len(weight.dims) == 2:
            nodes.append(_quantize_product(node, weight, added))
            replaced.add(weight.name)
        elif table is not None and table.name.endswith(_WORD_EMBEDDINGS):
            nodes += _quantize_lookup(node, table, added)
            replaced.add(table.name)
        else:
            nodes.append(node)
    kept = [tensor for tensor in model.graph.initializer if tensor.name not in replaced]
    _replace(model, nodes, [*kept, *added])
    onnx.save(
        model,
        str(target),
        save_as_external_data=True,
        all_tensors_to_one_file=True,
        location=f"{target.name}.data",
        size_threshold=_EXTERNAL_FROM_BYTES,
    )
    # onnx makes the data readable to its owner alone; an image is built by one user and run by another.
    target.with_name(f"{target.name}.data").chmod(0o644)


def _replace(model: ModelProto, nodes: list[NodeProto], tensors: list[TensorProto]) -> None:
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    del model.graph.initializer[:]
    model.graph.initializer.extend(tensors)
    model.opset_import.append(helper.make_opsetid("com.microsoft", 1))


def _quantize_product(node: NodeProto, weight: TensorProto, added: list[TensorProto]) -> NodeProto:
    matrix = np.asarray(numpy_helper.to_array(weight), dtype=np.float32)
    values, scales = quantize_blocks(matrix)
    names = [f"{weight.name}_values", f"{weight.name}_scales"]
    added += [numpy_helper.from_array(values, names[0]), numpy_helper.from_array(scales, names[1])]
    return helper.make_node(
        "MatMulNBits",
        [node.input[0], *names],
        list(node.output),
        name=node.name,
        domain="com.microsoft",
        K=matrix.shape[0],
        N=matrix.shape[1],
        bits=8,
        block_size=BLOCK,
        accuracy_level=_ACCURACY_LEVEL,
    )


def quantize_blocks(matrix: NDArray[np.float32]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """A (rows, columns) matrix as MatMulNBits wants it: uint8 (columns, blocks, 32) around 128, and flat scales."""
    rows, columns = matrix.shape
    padded = np.zeros((columns, -(-rows // BLOCK) * BLOCK), np.float32)
    padded[:, :rows] = matrix.T
    blocks = padded.reshape(columns, -1, BLOCK)
    scales = np.abs(blocks).max(axis=2) / 127
    scales[scales == 0] = 1
    values = np.rint(blocks / scales[:, :, None]) + 128
    return values.astype(np.uint8), scales.astype(np.float32).ravel()


def _quantize_lookup(node: NodeProto, table: TensorProto, added: list[TensorProto]) -> list[NodeProto]:
    matrix = np.asarray(numpy_helper.to_array(table), dtype=np.float32)
    scales = np.maximum(np.abs(matrix).max(axis=1, keepdims=True) / 127, 1e-12).astype(np.float32)
    added += [
        numpy_helper.from_array(np.rint(matrix / scales).astype(np.int8), f"{table.name}_values"),
        numpy_helper.from_array(scales, f"{table.name}_scales"),
    ]
    ids, output = node.input[1], node.output[0]
    return [
        helper.make_node("Gather", [f"{table.name}_values", ids], [f"{output}_values"]),
        helper.make_node("Gather", [f"{table.name}_scales", ids], [f"{output}_scales"]),
        helper.make_node("Cast", [f"{output}_values"], [f"{output}_floats"], to=TensorProto.FLOAT),
        helper.make_node("Mul", [f"{output}_floats", f"{output}_scales"], [output]),
    ]
