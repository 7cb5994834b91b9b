from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from edgeflow.checkpoints.checkpoint import Checkpoint
from edgeflow.nn.blocks.layers import SameConv2d, resize
from edgeflow.runtime.folding.inference_network import InferenceNetwork
from edgeflow.runtime.graph.trace import UnknownOperationError, check_sides, trace
from tests.unit.edgeflow.runtime.cases import ARCHITECTURES


class Toy(nn.Module):
    """``body`` makes the mask; the prompt is fed back."""

    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.body = body

    def forward(self, image: Tensor, prompt: Tensor) -> tuple[Tensor, Tensor]:
        return self.body(image), prompt


class Call(nn.Module):
    def __init__(self, function: object) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)  # type: ignore[no-any-return,operator]


def kinds(body: nn.Module) -> list[str]:
    return [operation.kind for operation in trace(Toy(body)).operations]


def test_values_are_numbered_in_the_order_in_which_they_are_made() -> None:
    graph = trace(Toy(Call(lambda x: F.relu(x + x).sigmoid())))
    assert [operation.kind for operation in graph.operations] == ["add", "relu", "sigmoid"]
    assert [operation.operands for operation in graph.operations] == [(0, 0), (2,), (3,)]
    assert graph.outputs == (4, 1)


def test_constants_are_float32_and_broadcast_over_channels() -> None:
    graph = trace(Toy(Call(lambda x: (x * 255.0) - torch.tensor([1.0, 2.0, 3.0]).view(1, 3, 1, 1))))
    scale, shift = (operation.operands[1] for operation in graph.operations)
    assert isinstance(scale, np.ndarray)
    assert isinstance(shift, np.ndarray)
    assert scale.dtype == np.float32
    assert (scale.shape, scale.item()) == ((1, 1, 1, 1), 255.0)
    assert shift.shape == (1, 3, 1, 1)


@pytest.mark.parametrize(
    ("kernel", "stride", "pads"),
    [(3, 2, (0, 0, 1, 1)), (5, 2, (1, 1, 2, 2)), (3, 1, (1, 1, 1, 1)), (5, 1, (2, 2, 2, 2))],
)
def test_same_padding_becomes_the_convolutions_own(
    kernel: int, stride: int, pads: tuple[int, ...]
) -> None:
    # Even sides: at stride 2 the odd pixel goes right and bottom.
    graph = trace(Toy(SameConv2d(3, 4, kernel, stride=stride)))
    (operation,) = graph.operations
    assert operation.kind == "conv"
    assert operation.attributes["pads"] == pads
    assert operation.attributes["stride"] == (stride, stride)


def test_enlarging_has_a_factor_instead_of_a_size() -> None:
    def body(x: Tensor) -> Tensor:
        small = F.conv2d(x, torch.ones(3, 1, 2, 2), None, 2, 0, 1, 3)
        return resize(small, x.shape[-2:])

    conv, enlarged = trace(Toy(Call(body))).operations
    assert conv.kind == "conv"
    assert (enlarged.kind, dict(enlarged.attributes)) == (
        "resize",
        {"scale": 2, "align_corners": True},
    )


@pytest.mark.parametrize(
    "function",
    [
        lambda x: torch.softmax(x, dim=1),
        lambda x: F.max_pool2d(x, 2),
        lambda x: torch.cat((x, x), dim=2),
        lambda x: F.interpolate(x, size=(7, 7), mode="bilinear", align_corners=False),
        lambda x: F.interpolate(x, size=(320, 192), mode="nearest"),
        lambda x: F.pad(x, (1, 1, 1, 1), mode="reflect"),
        lambda x: F.relu(F.pad(x, (1, 1, 1, 1))),
        torch.exp,
    ],
)
def test_an_operation_that_graphs_lack_is_refused(function: object) -> None:
    with pytest.raises(UnknownOperationError, match="graph"):
        trace(Toy(Call(function)))


@pytest.mark.slow
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_graph_has_no_auxiliary_output_and_no_norms(
    checkpoints: dict[str, Checkpoint], name: str
) -> None:
    checkpoint = checkpoints[name]
    graph = trace(InferenceNetwork(checkpoint.load()))
    used = set(graph.outputs)
    for number, operation in reversed(list(enumerate(graph.operations, start=2))):
        assert number in used, f"{operation.kind} is computed and unused"
        used.update(x for x in operation.operands if isinstance(x, int))
    assert {0, 1} <= used


def test_a_network_that_feeds_its_mask_back_gives_one_value_twice(
    checkpoints: dict[str, Checkpoint],
) -> None:
    graph = trace(InferenceNetwork(checkpoints["ritm_hrnet"].load()))
    assert graph.outputs[0] == graph.outputs[1]


@pytest.mark.parametrize(
    ("image", "prompt"),
    [
        ((1, 3, 33, 32), (1, 3, 33, 32)),
        ((1, 3, 32, 400), (1, 3, 32, 400)),
        ((1, 3, 0, 32), (1, 3, 0, 32)),
        ((0, 3, 32, 32), (0, 3, 32, 32)),
        ((1, 4, 32, 32), (1, 4, 32, 32)),
        ((1, 3, 32, 32), (2, 3, 32, 32)),
        ((3, 32, 32), (3, 32, 32)),
    ],
)
def test_inputs_that_no_graph_takes_are_refused(
    image: tuple[int, ...], prompt: tuple[int, ...]
) -> None:
    with pytest.raises(ValueError, match="multiples of 32"):
        check_sides(torch.zeros(image), torch.zeros(prompt))


def test_inputs_that_graphs_take_are_let_through() -> None:
    for shape in ((1, 3, 32, 448), (16, 3, 448, 448)):
        check_sides(torch.zeros(shape), torch.zeros(shape))
