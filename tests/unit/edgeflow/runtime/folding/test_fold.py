from __future__ import annotations

import pytest
import torch
from torch import nn

from edgeflow.checkpoints.checkpoint import Checkpoint
from edgeflow.nn.blocks.layers import SameConv2d
from edgeflow.nn.interface import NetworkOutput
from edgeflow.runtime.folding.fold import fold
from tests.unit.edgeflow.runtime.cases import ARCHITECTURES, FOLDING_TOLERANCES, step_input


@pytest.mark.slow
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
    tolerance = FOLDING_TOLERANCES[name] if dtype == torch.float32 else 1e-10
    for label, reference, values in zip(expected._fields, expected, folded, strict=True):
        assert (reference is None) == (values is None), label
        if reference is not None and values is not None:
            assert float((reference - values).abs().max()) <= tolerance, label


@pytest.mark.slow
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_nothing_unused_is_left(checkpoints: dict[str, Checkpoint], name: str) -> None:
    folded = fold(checkpoints[name].load())
    assert not any(isinstance(module, nn.BatchNorm2d) for module in folded.modules())
    left = [parameter for parameter, _ in folded.named_parameters()]
    unused = ("ocr.query", "ocr.key", "bottleneck.conv2", "prompt_stem.scale")
    assert not [parameter for parameter in left if any(word in parameter for word in unused)]
    kernels = [module for module in folded.modules() if isinstance(module, SameConv2d)]
    assert all(kernel.stride != (1, 1) for kernel in kernels)


@pytest.mark.slow
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_reference_is_not_changed(checkpoints: dict[str, Checkpoint], name: str) -> None:
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
