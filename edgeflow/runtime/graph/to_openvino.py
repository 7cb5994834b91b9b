"""Translation of a graph into OpenVINO."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np

from edgeflow.arrays import FloatArray
from edgeflow.runtime.graph.trace import INPUTS, OUTPUTS, Graph, Operation
from edgeflow.runtime.telemetry_free import import_openvino

GRID, UNIT = "grid", "unit"
MODEL_INPUTS = (*INPUTS, GRID, UNIT)
WARP_STRIDE = 4
"""Stride of all maps that are warped."""

_PRECISE = "precise"


def openvino_model(graph: Graph) -> Any:  # noqa: ANN401 - OpenVINO has no types
    """The ``openvino.Model`` of a graph, float32, with dynamic batch and sides.

    In bfloat16, whose mantissa has eight bits, positions on a map would be off by half a pixel and
    grey levels by one. So the model takes the image in [0, 255], where bfloat16 represents every
    level, and the inputs of :func:`sampling_grid`, to which it adds flows in float32: see
    :func:`keep_precise`.
    """
    openvino = import_openvino()
    ops = openvino.opset13
    maps, grid, unit = (
        openvino.PartialShape(s) for s in ([-1, 3, -1, -1], [1, 2, -1, -1], [1, 2, 1, 1])
    )
    shapes = dict(zip(MODEL_INPUTS, (maps, maps, grid, unit), strict=True))
    inputs = {name: ops.parameter(shape, np.float32, name=name) for name, shape in shapes.items()}
    for name, node in inputs.items():
        node.output(0).set_names({name})
    lower = _Lowering(ops, inputs[GRID], inputs[UNIT])
    values = [ops.divide(inputs["image"], np.float32(255)), inputs["prompt"]]
    for operation in graph.operations:
        operands = [values[x] if isinstance(x, int) else x for x in operation.operands]
        values.append(lower.operation(operation, operands))
    results = []
    for index, name in zip(graph.outputs, OUTPUTS, strict=True):
        result = ops.result(values[index])
        result.output(0).set_names({name})
        results.append(result)
    return openvino.Model(results, list(inputs.values()), "edgeflow")


def sampling_grid(height: int, width: int) -> tuple[FloatArray, FloatArray]:
    """The model's inputs ``grid`` and ``unit`` for an image of height × width.

    Returns:
        1×2×h/4×w/4: x and y of each pixel, from -1 to 1; and 1×2×1×1: 1 / (w/4) and 1 / (h/4).
    """
    rows, cols = height // WARP_STRIDE, width // WARP_STRIDE
    x = np.broadcast_to(np.linspace(-1, 1, cols, dtype=np.float32), (rows, cols))
    y = np.broadcast_to(np.linspace(-1, 1, rows, dtype=np.float32)[:, None], (rows, cols))
    unit = np.array([1 / cols, 1 / rows], np.float32).reshape(1, 2, 1, 1)
    return np.ascontiguousarray(np.stack((x, y))[None]), unit


def keep_precise(representation: bytes) -> bytes:
    """Mark the operations in a model's XML that stay float32 at any inference precision.

    OpenVINO's Python package does not expose the attribute, which its own passes call ``precise``.
    """
    root = ET.fromstring(representation)  # noqa: S314 - written by OpenVINO a moment ago
    for layer in root.iter("layer"):
        if layer.get("name", "").startswith(_PRECISE):
            notes = ET.Element("rt_info")
            ET.SubElement(notes, "attribute", {"name": _PRECISE, "version": "0"})
            data = layer.find("data")
            layer.insert(0 if data is None else list(layer).index(data) + 1, notes)
    return ET.tostring(root)


class _Lowering:
    def __init__(self, ops: Any, grid: Any, unit: Any) -> None:  # noqa: ANN401
        self.ops = ops
        self._grid = grid
        self._unit = unit
        self._warps = 0

    def operation(self, operation: Operation, operands: Sequence[Any]) -> Any:  # noqa: ANN401
        make = getattr(self, f"_{operation.kind}", None)
        if make is not None:
            return make(*operands, **operation.attributes)
        plain = getattr(self.ops, operation.kind)  # add, subtract, multiply, divide, relu, sigmoid
        return plain(*operands)

    def _conv(
        self,
        x: Any,  # noqa: ANN401
        weight: FloatArray,
        bias: FloatArray | None = None,
        *,
        stride: Sequence[int],
        pads: Sequence[int],
        dilation: Sequence[int],
        groups: int,
    ) -> Any:  # noqa: ANN401
        window = (list(stride), list(pads[:2]), list(pads[2:]), list(dilation))
        if groups == 1:
            out = self.ops.convolution(x, weight, *window)
        else:
            grouped = weight.reshape(groups, -1, *weight.shape[1:])
            out = self.ops.group_convolution(x, grouped, *window)
        return out if bias is None else self.ops.add(out, bias.reshape(1, -1, 1, 1))

    def _relu6(self, x: Any) -> Any:  # noqa: ANN401
        return self.ops.clamp(x, 0.0, 6.0)

    def _leaky_relu(self, x: Any, *, slope: float) -> Any:  # noqa: ANN401
        return self.ops.prelu(x, np.array([slope], np.float32))

    def _prelu(self, x: Any, slopes: FloatArray) -> Any:  # noqa: ANN401
        return self.ops.prelu(x, slopes)

    def _concat(self, *parts: Any) -> Any:  # noqa: ANN401
        return self.ops.concat(list(parts), axis=1)

    def _resize(self, x: Any, *, scale: int, align_corners: bool) -> Any:  # noqa: ANN401
        return self.ops.interpolate(
            x,
            np.array([scale, scale], np.float32),
            "linear_onnx",
            "scales",
            coordinate_transformation_mode="align_corners" if align_corners else "half_pixel",
            axes=np.array([2, 3], np.int64),
        )

    def _warp(self, x: Any, flow: Any) -> Any:  # noqa: ANN401
        self._warps += 1
        steps = self.ops.multiply(flow, self._unit)
        grid = self.ops.add(self._grid, steps, name=f"{_PRECISE}_add_{self._warps}")
        order = np.array([0, 2, 3, 1], np.int64)
        grid = self.ops.transpose(grid, order, name=f"{_PRECISE}_order_{self._warps}")
        how = {"align_corners": True, "mode": "bilinear", "padding_mode": "zeros"}
        return self.ops.grid_sample(x, grid, how)

    def _object_vector(self, features: Any, logits: Any) -> Any:  # noqa: ANN401
        ops = self.ops
        flat = np.array([0, 0, -1], np.int64)
        weights = ops.softmax(ops.reshape(logits, flat, special_zero=True), axis=2)
        pixels = ops.reshape(features, flat, special_zero=True)
        vectors = ops.matmul(pixels, weights, transpose_a=False, transpose_b=True)
        return ops.unsqueeze(vectors, np.array([3], np.int64))
