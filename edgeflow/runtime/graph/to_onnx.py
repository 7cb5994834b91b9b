"""Translation of a graph into ONNX."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from edgeflow.arrays import FloatArray
from edgeflow.runtime.graph.trace import INPUTS, OUTPUTS, Graph, Operation

OPSET = 17
"""``GridSample`` exists since 16; ONNX Runtime knows 17 since 1.13."""

IR_VERSION = 8

_PLAIN = {
    "add": "Add",
    "subtract": "Sub",
    "multiply": "Mul",
    "divide": "Div",
    "relu": "Relu",
    "sigmoid": "Sigmoid",
}


def onnx_model(graph: Graph) -> bytes:
    """The serialised ``ModelProto`` of a graph, float32, with dynamic batch and sides.

    Raises:
        ImportError: The package ``onnx`` is not installed.
    """
    import onnx  # noqa: PLC0415 - an extra, and only exports need it

    lower = _Lowering(onnx)
    values: list[str] = list(INPUTS)
    for operation in graph.operations:
        operands = [
            values[x] if isinstance(x, int) else lower.constant(x) for x in operation.operands
        ]
        values.append(lower.operation(operation, operands))
    for index, name in zip(graph.outputs, OUTPUTS, strict=True):
        lower.nodes.append(onnx.helper.make_node("Identity", [values[index]], [name]))

    def describe(name: str, channels: int) -> Any:  # noqa: ANN401
        shape: list[str | int | None] = ["batch", channels, "height", "width"]
        return onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)

    onnx_graph = onnx.helper.make_graph(
        lower.nodes,
        "edgeflow",
        [describe(name, 3) for name in INPUTS],
        [describe(name, 1) for name in OUTPUTS],
        lower.constants,
    )
    model = onnx.helper.make_model(
        onnx_graph,
        producer_name="edgeflow",
        opset_imports=[onnx.helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )
    onnx.checker.check_model(model)
    content: bytes = model.SerializeToString()
    return content


class _Lowering:
    """Collects nodes and constants; every method returns the name of its value."""

    def __init__(self, onnx: Any) -> None:  # noqa: ANN401 - the package has no types
        self._onnx = onnx
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, values: npt.NDArray[Any]) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(
            self._onnx.numpy_helper.from_array(np.ascontiguousarray(values), name)
        )
        return name

    def node(self, kind: str, *operands: str, **attributes: Any) -> str:
        name = f"v{len(self.nodes)}"
        self.nodes.append(self._onnx.helper.make_node(kind, operands, [name], **attributes))
        return name

    def operation(self, operation: Operation, operands: Sequence[str]) -> str:
        if operation.kind in _PLAIN:
            return self.node(_PLAIN[operation.kind], *operands)
        name: str = getattr(self, f"_{operation.kind}")(*operands, **operation.attributes)
        return name

    def _ints(self, *values: int) -> str:
        return self.constant(np.array(values, np.int64))

    def _float(self, value: float) -> str:
        return self.constant(np.array(value, np.float32))

    def _conv(
        self,
        *operands: str,
        stride: Sequence[int],
        pads: Sequence[int],
        dilation: Sequence[int],
        groups: int,
    ) -> str:
        return self.node(
            "Conv",
            *operands,
            strides=list(stride),
            pads=list(pads),
            dilations=list(dilation),
            group=groups,
        )

    def _relu6(self, x: str) -> str:
        return self.node("Clip", x, self._float(0), self._float(6))

    def _leaky_relu(self, x: str, *, slope: float) -> str:
        return self.node("LeakyRelu", x, alpha=slope)

    def _prelu(self, x: str, slopes: str) -> str:
        return self.node("PRelu", x, self.node("Reshape", slopes, self._ints(-1, 1, 1)))

    def _concat(self, *parts: str) -> str:
        return self.node("Concat", *parts, axis=1)

    def _resize(self, x: str, *, scale: int, align_corners: bool) -> str:
        scales: FloatArray = np.array([1, 1, scale, scale], np.float32)
        return self.node(
            "Resize",
            x,
            "",
            self.constant(scales),
            mode="linear",
            coordinate_transformation_mode="align_corners" if align_corners else "half_pixel",
        )

    def _warp(self, x: str, flow: str) -> str:
        shape = self.node("Shape", flow)
        grids = []
        for channel, axis in enumerate((3, 2)):  # the flow's channel 0 is x
            side = self.node("Gather", shape, self.constant(np.array(axis, np.int64)))
            side = self.node("Cast", side, to=self._onnx.TensorProto.FLOAT)
            steps = self.node("Range", self._float(0), side, self._float(1))
            reach = self.node("Max", self.node("Sub", side, self._float(1)), self._float(1))
            line = self.node("Div", self.node("Mul", steps, self._float(2)), reach)
            line = self.node("Sub", line, self._float(1))
            row = self._ints(1, 1, 1, -1) if axis == 3 else self._ints(1, 1, -1, 1)
            offsets = self.node("Div", self.node("Gather", flow, self._ints(channel), axis=1), side)
            grids.append(self.node("Add", offsets, self.node("Reshape", line, row)))
        grid = self.node("Transpose", self.node("Concat", *grids, axis=1), perm=[0, 2, 3, 1])
        return self.node(
            "GridSample", x, grid, align_corners=1, mode="bilinear", padding_mode="zeros"
        )

    def _object_vector(self, features: str, logits: str) -> str:
        flat = self._ints(0, 0, -1)
        weights = self.node("Softmax", self.node("Reshape", logits, flat), axis=2)
        pixels = self.node("Reshape", features, flat)
        columns = self.node("Transpose", weights, perm=[0, 2, 1])
        return self.node("Unsqueeze", self.node("MatMul", pixels, columns), self._ints(3))
