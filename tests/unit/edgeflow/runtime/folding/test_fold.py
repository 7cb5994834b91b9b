from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from edgeflow.checkpoints.checkpoint import Checkpoint
from edgeflow.nn.blocks.layers import SameConv2d
from edgeflow.nn.interface import NetworkOutput
from edgeflow.nn.ritm import RITM
from edgeflow.runtime.folding.batch_norm import affine, fold_after, fold_before
from edgeflow.runtime.folding.fold import fold
from edgeflow.runtime.torch_eager import TorchRuntime
from edgeflow.runtime.torch_folded import FoldedTorchRuntime
from tests.unit.edgeflow.runtime.cases import ARCHITECTURES, CPU, logit_difference, step_input


def norm(channels: int, **values: list[float]) -> nn.BatchNorm2d:
    """A batch norm in evaluation mode with an eps of 0."""
    bn = nn.BatchNorm2d(channels, eps=0.0).eval()
    tensors: dict[str, Tensor] = {**dict(bn.named_parameters()), **dict(bn.named_buffers())}
    with torch.no_grad():
        for name, entries in values.items():
            tensors[name].copy_(torch.tensor(entries))
    return bn


def conv(weight: list[float], bias: list[float] | None = None) -> nn.Conv2d:
    """A 1×1 convolution of one input channel to ``len(weight)``."""
    made = nn.Conv2d(1, len(weight), 1, bias=bias is not None)
    with torch.no_grad():
        made.weight.copy_(torch.tensor(weight).view(-1, 1, 1, 1))
        if bias is not None and made.bias is not None:
            made.bias.copy_(torch.tensor(bias))
    return made


def test_a_batch_norm_is_a_scale_and_a_shift() -> None:
    # (x - 3) / sqrt(4) * 10 + 1 = 5 x - 14
    bn = norm(1, running_mean=[3.0], running_var=[4.0], weight=[10.0], bias=[1.0])
    scale, shift = affine(bn)
    assert (scale.item(), shift.item()) == (5.0, -14.0)
    assert scale.dtype == torch.float64


def test_a_batch_norm_goes_into_the_convolution_before_it() -> None:
    # 2 x + 7, then 5 y - 14: 10 x + 21
    bn = norm(1, running_mean=[3.0], running_var=[4.0], weight=[10.0], bias=[1.0])
    folded = fold_after(conv([2.0], [7.0]), bn)
    assert folded.weight.item() == 10.0
    assert folded.bias is not None
    assert folded.bias.item() == 21.0
    without = fold_after(conv([2.0]), bn).bias
    assert without is not None
    assert without.item() == -14.0


def test_a_batch_norm_goes_into_the_1x1_convolution_behind_it() -> None:
    # 5 x - 14, then 2 y + 7: 10 x - 21; and then -y: -5 x + 14
    bn = norm(1, running_mean=[3.0], running_var=[4.0], weight=[10.0], bias=[1.0])
    folded = fold_before(*affine(bn), conv([2.0, -1.0], [7.0, 0.0]))
    assert folded.weight.flatten().tolist() == [10.0, -5.0]
    assert folded.bias is not None
    assert folded.bias.tolist() == [-21.0, 14.0]


@pytest.mark.parametrize(
    "other", [nn.Conv2d(2, 2, 3), nn.Conv2d(2, 2, 1, padding=1), nn.Conv2d(2, 2, 1, groups=2)]
)
def test_only_a_1x1_convolution_takes_its_inputs_shift(other: nn.Conv2d) -> None:
    # Padding is 0 after the batch norm, where the shift would have to be 0 too.
    with pytest.raises(ValueError, match="1×1"):
        fold_before(torch.ones(2).double(), torch.zeros(2).double(), other)


def test_folding_keeps_what_float32_would_lose() -> None:
    # Mean and bias nearly cancel, and the scale is large: float32 would lose five digits.
    bn = norm(1, running_mean=[1234.567], running_var=[1e-6], weight=[0.3], bias=[0.1])
    folded = fold_after(conv([0.7123], [1234.5]), bn)
    mean, variance, weight, bias, shift = (
        float(np.float32(value)) for value in (1234.567, 1e-6, 0.3, 0.1, 1234.5)
    )
    assert folded.bias is not None
    assert folded.bias.item() == pytest.approx(
        (shift - mean) * weight / variance**0.5 + bias, rel=1e-6
    )


TOLERANCES = {"edgeflow_lite": 1e-4, "edgeflow_hrnet": 5e-4, "ritm_hrnet": 1e-4}
"""Of float32 logits; the tiny EdgeFlow as published is itself 1e-4 off what it is in float64."""


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize(("batch", "height", "width"), [(1, 96, 128), (3, 64, 32), (1, 97, 131)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_folded_network_gives_the_references_logits(
    checkpoints: dict[str, Checkpoint],
    name: str,
    batch: int,
    height: int,
    width: int,
    dtype: torch.dtype,
) -> None:
    network = checkpoints[name].load().to(dtype)
    case = [x.to(dtype) for x in step_input(height, width, batch)]
    with torch.inference_mode():
        expected: NetworkOutput = network(*case)
        folded: NetworkOutput = fold(network)(*case)
    tolerance = TOLERANCES[name] if dtype == torch.float32 else 1e-10
    for label, reference, values in zip(expected._fields, expected, folded, strict=True):
        assert (reference is None) == (values is None), label
        if reference is not None and values is not None:
            assert float((reference - values).abs().max()) <= tolerance, label


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_nothing_that_inference_computes_in_vain_is_left(
    checkpoints: dict[str, Checkpoint], name: str
) -> None:
    folded = fold(checkpoints[name].load())
    assert not any(isinstance(module, nn.BatchNorm2d) for module in folded.modules())
    left = [parameter for parameter, _ in folded.named_parameters()]
    vain = ("ocr.query", "ocr.key", "bottleneck.conv2", "prompt_stem.scale")
    assert not [parameter for parameter in left if any(word in parameter for word in vain)]
    kernels = [module for module in folded.modules() if isinstance(module, SameConv2d)]
    assert all(kernel.stride != (1, 1) for kernel in kernels)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_reference_stays_as_it_is(checkpoints: dict[str, Checkpoint], name: str) -> None:
    network = checkpoints[name].load()
    kinds = [type(module) for module in network.modules()]
    before = {key: values.clone() for key, values in network.state_dict().items()}
    folded = fold(network)
    for parameter in folded.parameters():
        parameter.data.zero_()
    assert [type(module) for module in network.modules()] == kinds
    after = network.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[key], after[key]) for key in before)


def test_modules_of_other_networks_stay_as_they_are() -> None:
    other = nn.ModuleDict({"bn": nn.BatchNorm2d(2), "conv": nn.Conv2d(2, 2, 1)})
    folded = fold(other.eval())
    assert isinstance(folded.get_submodule("bn"), nn.BatchNorm2d)
    assert torch.equal(folded.get_submodule("conv").weight, other["conv"].weight)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_folded_runtime_gives_what_the_reference_runtime_gives(
    checkpoints: dict[str, Checkpoint], name: str
) -> None:
    network = checkpoints[name].load()
    reference = TorchRuntime(network, CPU)
    folded = FoldedTorchRuntime(network, CPU)
    for size in ((64, 96), (101, 75)):
        case = step_input(*size, batch=2)
        assert logit_difference(folded.run(*case), reference.run(*case)) <= TOLERANCES[name]


def test_the_folded_runtime_is_told_apart_from_the_reference(
    checkpoints: dict[str, Checkpoint],
) -> None:
    # States of one must not be continued by the other: they differ by rounding.
    network = checkpoints["ritm_hrnet"].load()
    folded = FoldedTorchRuntime(network, CPU)
    assert folded.name == f"torch {torch.__version__} cpu float32 folded"
    assert folded.name != TorchRuntime(network, CPU).name
    assert (folded.device, folded.feedback) == (CPU, "mask")


class EdgeFedRITM(RITM):
    feedback = "edge"


def test_a_network_without_edges_cannot_feed_them_back(
    checkpoints: dict[str, Checkpoint],
) -> None:
    tensors = checkpoints["ritm_hrnet"].load().state_dict()
    network = EdgeFedRITM(width=4, ocr_width=8, small=True).eval()
    network.load_state_dict(tensors)
    runtime = FoldedTorchRuntime(network, CPU)
    with pytest.raises(ValueError, match="no edges"):
        runtime.run(*step_input())
