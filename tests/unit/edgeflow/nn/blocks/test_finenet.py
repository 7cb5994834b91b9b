from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from edgeflow.nn.blocks.finenet import FineNet, LiteFineNet

BOTH = pytest.mark.parametrize("make", [LiteFineNet, FineNet])
Make = Callable[[], nn.Module]


def lively(module: nn.Module) -> nn.Module:
    """Every ReLU open, so that what a pixel reaches shows."""
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            nn.init.constant_(part.bias, 3)
    return module.eval()


def reached(network: nn.Module, x: Tensor, row: int, col: int) -> Tensor:
    """Which output pixels change with one input pixel."""
    changed = x.clone()
    changed[:, :, row, col] += 1
    difference: Tensor = network(changed) != network(x)
    return difference[0, 0]


@BOTH
@pytest.mark.parametrize("size", [(16, 24), (17, 9), (1, 1)])
def test_it_works_at_full_resolution(make: Make, size: tuple[int, int]) -> None:
    assert make().eval()(torch.rand(2, 8, *size)).shape == (2, 1, *size)


@BOTH
@torch.no_grad()
def test_a_pixel_is_seen_as_far_as_the_widest_branch_and_the_last_layer_reach(make: Make) -> None:
    network = lively(make())
    reach = reached(network, torch.rand(1, 8, 21, 21), 10, 10)
    rows = reach.any(dim=1).nonzero()
    cols = reach.any(dim=0).nonzero()
    assert (int(rows.min()), int(rows.max())) == (6, 14)  # dilation 3, then a 3×3
    assert (int(cols.min()), int(cols.max())) == (6, 14)


@BOTH
@torch.no_grad()
def test_there_are_branches_of_dilation_one_two_and_three(make: Make) -> None:
    network = make()
    dilations = [
        m.dilation[0] for m in network.modules() if isinstance(m, nn.Conv2d) and m.in_channels == 8
    ]
    assert dilations == [1, 2, 3]


def test_the_papers_network_never_runs_its_stored_middle_convolution() -> None:
    network = FineNet()
    network(torch.rand(2, 8, 8, 8)).sum().backward()
    idle = {name for name, parameter in network.named_parameters() if parameter.grad is None}
    assert idle == {
        "bottleneck.conv2.weight",
        "bottleneck.bn2.weight",
        "bottleneck.bn2.bias",
    }


def test_the_papers_branches_have_one_prelu_parameter_each_time() -> None:
    prelus = [module for module in FineNet().modules() if isinstance(module, nn.PReLU)]
    assert [prelu.num_parameters for prelu in prelus] == [1] * 6
