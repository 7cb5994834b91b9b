from __future__ import annotations

import copy
import math

import pytest
import torch
from torch import nn

from edgeflow.nn.lite import EdgeFlowLite
from edgeflow.train.config import Optimiser
from edgeflow.train.optimiser import follow, make_optimiser, rate_at, set_rate

OPTIONS = Optimiser(rate=0.01, warm_up=10, floor=0.1, encoder=0.2)


def test_the_rate_rises_linearly_and_falls_as_a_cosine() -> None:
    assert rate_at(OPTIONS, 0, 0.0) == pytest.approx(0.001)
    assert rate_at(OPTIONS, 4, 0.0) == pytest.approx(0.005)
    assert rate_at(OPTIONS, 100, 0.0) == pytest.approx(0.01)
    assert rate_at(OPTIONS, 100, 0.5) == pytest.approx(0.01 * (0.1 + 0.9 * 0.5))
    quarter = 0.1 + 0.9 * (1 + math.cos(math.pi / 4)) / 2
    assert rate_at(OPTIONS, 100, 0.25) == pytest.approx(0.01 * quarter)
    assert rate_at(OPTIONS, 100, 1.0) == rate_at(OPTIONS, 100, 1.7) == pytest.approx(0.001)


def test_the_encoder_learns_slowly_and_biases_and_norms_do_not_decay() -> None:
    network = EdgeFlowLite()
    optimiser = make_optimiser(network, OPTIONS)
    set_rate(optimiser, 0.5)
    by_id = {
        id(parameter): (group["lr"], group["weight_decay"])
        for group in optimiser.param_groups
        for parameter in group["params"]
    }
    named = dict(network.named_parameters())
    assert len(by_id) == len(named)
    assert by_id[id(named["backbone.stem.conv.weight"])] == (0.1, 0.01)
    assert by_id[id(named["backbone.stem.bn.weight"])] == (0.1, 0.0)
    assert by_id[id(named["neck.fuse.conv.weight"])] == (0.5, 0.01)
    assert by_id[id(named["coarse.logits.bias"])] == (0.5, 0.0)


def test_a_network_says_which_of_its_parameters_are_the_encoders() -> None:
    class OnItsNeck(EdgeFlowLite):
        encoder_prefix = "neck."

    network = OnItsNeck()
    groups = make_optimiser(network, OPTIONS).param_groups
    slow = {
        id(p) for group in groups if group["factor"] == OPTIONS.encoder for p in group["params"]
    }
    assert slow == {id(parameter) for parameter in network.neck.parameters()}


def test_the_average_follows_parameters_and_statistics() -> None:
    network = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    average = copy.deepcopy(network)
    before = {name: tensor.clone() for name, tensor in average.state_dict().items()}
    with torch.no_grad():
        for tensor in network.state_dict().values():
            tensor.add_(1)
    follow(average, network, 0.9, step=1_000)
    for name, tensor in average.state_dict().items():
        moved = 0.1 if tensor.is_floating_point() else 0
        assert torch.allclose(tensor, before[name] + moved), name


def test_the_average_is_quick_at_first() -> None:
    network, average = nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        network.weight.fill_(1.0)
        average.weight.fill_(0.0)
    for step, expected in ((0, 0.9), (10, 0.9 + 0.1 * 9 / 20)):
        follow(average, network, 0.999, step)
        assert average.weight.item() == pytest.approx(expected)
