"""Tracing of a network into a graph for sides that are multiples of 32.

The network runs on symbols, which have sizes but no values; every PyTorch function called on one is
recorded (``__torch_function__``, PyTorch's protocol for operands that are not tensors). Nothing
global is changed, so other threads may run networks meanwhile. PyTorch's own exporters are not
used: on the default network ``torch.export`` takes 40 s with dynamic sides, and ``torch.jit.trace``
is deprecated and bakes the example's sizes in. The networks need about fifteen operations.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from edgeflow.arrays import FloatArray
from edgeflow.runtime.folding.modules import object_vector, warp

SIDE_MULTIPLE = 32
"""Divisor of the inputs' sides, so that sizes at all strides are exact ratios of each other."""

_EXAMPLE = (1, 3, 5 * SIDE_MULTIPLE, 3 * SIDE_MULTIPLE)


class UnknownOperationError(TypeError):
    """A network computes something that is not among a graph's operations."""


@dataclass(frozen=True)
class Operation:
    """One step of a graph.

    Attributes:
        kind: One of

            - ``conv``: operands x, weight and optionally bias; attributes stride, pads (top, left,
              bottom, right), dilation, groups;
            - ``add``, ``subtract``, ``multiply``, ``divide``: two operands, broadcast;
            - ``relu``, ``relu6``, ``sigmoid``; ``prelu`` with its slopes, one or one a channel;
              ``leaky_relu`` with attribute slope;
            - ``concat``: along channels;
            - ``resize``: bilinear; attributes scale (int, both sides) and align_corners;
            - ``warp``: see :func:`edgeflow.nn.blocks.flow.warp`; operands x, flow;
            - ``object_vector``: see :func:`edgeflow.runtime.folding.modules.object_vector`;
              operands features, logits.
        operands: Numbers of earlier values, or constants.
        attributes: Attributes by name.
    """

    kind: str
    operands: tuple[int | FloatArray, ...]
    attributes: Mapping[str, Any]


@dataclass
class Graph:
    """Numbered values: 0 is the image, 1 the prompt, from 2 on the operations' results in order."""

    operations: list[Operation] = field(default_factory=list)
    outputs: tuple[int, int] = (0, 0)


INPUTS = ("image", "prompt")
OUTPUTS = ("mask", "feedback")


def trace(network: nn.Module) -> Graph:
    """Trace an inference network.

    Args:
        network: An :class:`.InferenceNetwork`, or any other module that takes (image, prompt) and
            gives two maps.

    Raises:
        UnknownOperationError: The network computes something that is not among the operations.
    """
    graph = Graph()
    mask, feedback = network(*(_Symbol(graph, index, _EXAMPLE) for index in range(len(INPUTS))))
    graph.outputs = (mask.index, feedback.index)
    return graph


def check_sides(image: Tensor, prompt: Tensor) -> None:
    """Refuse inputs that a graph cannot take.

    Raises:
        ValueError: The inputs are not two N×3×h×w maps of the same shape with sides that are
            multiples of 32.
    """
    shape = tuple(image.shape)
    fits = len(shape) == 4 and shape[1] == 3 and tuple(prompt.shape) == shape
    if not fits or 0 in shape or shape[2] % SIDE_MULTIPLE or shape[3] % SIDE_MULTIPLE:
        raise ValueError(
            f"graph runtimes take two N×3×h×w maps with sides that are multiples of "
            f"{SIDE_MULTIPLE}, got {shape} and {tuple(prompt.shape)}"
        )


class _Symbol:
    """A value without numbers; ``pads`` are zeros that its next convolution adds."""

    dtype = torch.float32
    device = torch.device("cpu")

    def __init__(
        self, graph: Graph, index: int, shape: Sequence[int], pads: Sequence[int] = ()
    ) -> None:
        self.graph = graph
        self.index = index
        self.shape = tuple(shape)
        self.pads = tuple(pads)

    @classmethod
    def __torch_function__(
        cls,
        func: Callable[..., Any],
        types: Any,  # noqa: ANN401 - PyTorch's protocol
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> _Symbol:
        if func not in _HANDLERS:
            name = getattr(func, "__name__", str(func))
            raise UnknownOperationError(f"no graph can be made: {name} is not among its operations")
        return _HANDLERS[func](*args, **(kwargs or {}))

    def __add__(self, other: _Symbol | Tensor | float) -> _Symbol:
        return self._arithmetic("add", other)

    def __sub__(self, other: _Symbol | Tensor | float) -> _Symbol:
        return self._arithmetic("subtract", other)

    def __mul__(self, other: _Symbol | Tensor | float) -> _Symbol:
        return self._arithmetic("multiply", other)

    def __truediv__(self, other: _Symbol | Tensor | float) -> _Symbol:
        return self._arithmetic("divide", other)

    def sigmoid(self) -> _Symbol:
        return self.then("sigmoid", self.shape)

    def then(
        self,
        kind: str,
        shape: Sequence[int],
        *others: _Symbol | Tensor | None,
        **attributes: Any,
    ) -> _Symbol:
        """Record an operation whose first operand is this value."""
        if self.pads and kind != "conv":
            raise UnknownOperationError(f"padding before {kind} is not among a graph's operations")
        operands = (self, *(other for other in others if other is not None))
        references = tuple(x.index if isinstance(x, _Symbol) else _constant(x) for x in operands)
        self.graph.operations.append(Operation(kind, references, attributes))
        return _Symbol(self.graph, len(INPUTS) + len(self.graph.operations) - 1, shape)

    def _arithmetic(self, kind: str, other: _Symbol | Tensor | float) -> _Symbol:
        if not isinstance(other, _Symbol):
            other = torch.as_tensor(other, dtype=self.dtype)
            return self.then(kind, self.shape, other.view((1, -1, 1, 1)))
        shape = tuple(map(max, self.shape, other.shape))
        return self.then(kind, shape, other)


def _constant(values: Tensor) -> FloatArray:
    return np.ascontiguousarray(values.detach().cpu().numpy(), dtype=np.float32)


def _conv2d(
    x: _Symbol,
    weight: Tensor,
    bias: Tensor | None,
    stride: int | Sequence[int],
    padding: int | Sequence[int],
    dilation: int | Sequence[int],
    groups: int,
) -> _Symbol:
    stride, padding, dilation = (_pair(value) for value in (stride, padding, dilation))
    top, left, bottom, right = x.pads or (0, 0, 0, 0)
    pads = (top + padding[0], left + padding[1], bottom + padding[0], right + padding[1])
    sides = [
        (side + before + after - reach * (size - 1) - 1) // step + 1
        for side, before, after, reach, size, step in zip(
            x.shape[2:], pads[:2], pads[2:], dilation, weight.shape[2:], stride, strict=True
        )
    ]
    return x.then(
        "conv",
        (x.shape[0], weight.shape[0], *sides),
        weight,
        bias,
        stride=stride,
        pads=pads,
        dilation=dilation,
        groups=groups,
    )


def _pair(value: int | Sequence[int]) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else (value[0], value[1])


def _pad(
    x: _Symbol, pad: Sequence[int], mode: str = "constant", value: float | None = None
) -> _Symbol:
    if mode != "constant" or value not in (None, 0) or len(pad) != 4:
        raise UnknownOperationError("only zero padding of sides is among a graph's operations")
    left, right, top, bottom = pad
    return _Symbol(x.graph, x.index, x.shape, (top, left, bottom, right))


def _concat(parts: Sequence[_Symbol], dim: int = 0) -> _Symbol:
    if dim != 1:
        raise UnknownOperationError("only concatenation of channels is among a graph's operations")
    first, *rest = parts
    channels = sum(part.shape[1] for part in parts)
    return first.then("concat", (first.shape[0], channels, *first.shape[2:]), *rest)


def _interpolate(x: _Symbol, size: Sequence[int], **options: Any) -> _Symbol:
    scale = size[0] // x.shape[2]
    if tuple(size) != (x.shape[2] * scale, x.shape[3] * scale) or options["mode"] != "bilinear":
        raise UnknownOperationError(
            "only bilinear enlarging by a whole factor is among a graph's operations"
        )
    return x.then(
        "resize", (*x.shape[:2], *size), scale=scale, align_corners=bool(options["align_corners"])
    )


def _prelu(x: _Symbol, slopes: Tensor) -> _Symbol:
    return x.then("prelu", x.shape, slopes)


def _leaky_relu(x: _Symbol, negative_slope: float = 0.01, **_: Any) -> _Symbol:
    return x.then("leaky_relu", x.shape, slope=negative_slope)


def _warp(x: _Symbol, flow: _Symbol) -> _Symbol:
    return x.then("warp", (*x.shape[:2], *flow.shape[2:]), flow)


def _object_vector(features: _Symbol, logits: _Symbol) -> _Symbol:
    return features.then("object_vector", (*features.shape[:2], 1, 1), logits)


def _elementwise(kind: str) -> Callable[..., _Symbol]:
    return lambda x, **_: x.then(kind, x.shape)


_HANDLERS: dict[Callable[..., Any], Callable[..., _Symbol]] = {
    F.conv2d: _conv2d,
    F.pad: _pad,
    F.interpolate: _interpolate,
    F.relu: _elementwise("relu"),
    F.relu6: _elementwise("relu6"),
    F.leaky_relu: _leaky_relu,
    F.prelu: _prelu,
    torch.cat: _concat,
    warp: _warp,
    object_vector: _object_vector,
}
