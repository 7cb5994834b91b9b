from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from edgeflow.nn.blocks.edge_head import EdgeHead
from edgeflow.nn.blocks.layers import ConvBN, ConvBNReLU, SameConvBN


def head(squeeze: type[SameConvBN] | None = SameConvBN) -> EdgeHead:
    layers = [
        SameConvBN(8, stride=2) if squeeze else ConvBN(8, 8, 3, stride=2, groups=8)
        for _ in range(2)
    ]
    return EdgeHead(8, layers, 6, ConvBNReLU(6, 4, 3), 4).eval()


@pytest.mark.parametrize("squeeze", [SameConvBN, None])
@pytest.mark.parametrize("size", [(16, 24), (17, 13), (1, 3)])
def test_edges_have_the_features_size(
    squeeze: type[SameConvBN] | None, size: tuple[int, int]
) -> None:
    edges = head(squeeze)(torch.randn(2, 8, *size), torch.randn(2, 8, *size))
    assert edges.shape == (2, 1, *size)


@pytest.mark.slow
def test_edges_are_what_the_warped_body_leaves() -> None:
    network = head()
    seen: list[Tensor] = []
    network.fuse.register_forward_pre_hook(lambda _module, args: seen.append(args[0]))
    nn.init.zeros_(network.flow.weight)
    before, after = torch.randn(1, 8, 16, 24), torch.randn(1, 8, 16, 24)
    network(before, after)
    # Without any flow the body is the feature itself, and nothing is left of it.
    torch.testing.assert_close(seen[0][:, :8], torch.zeros(1, 8, 16, 24), atol=1e-5, rtol=0)
    assert torch.equal(seen[0][:, 8:], before)


def test_the_flow_is_learned_from_a_quarter_of_the_resolution() -> None:
    network = head()
    seen: list[Tensor] = []
    for layer in network.squeeze:
        layer.register_forward_hook(lambda _module, _args, out: seen.append(out))
    network(torch.randn(1, 8, 16, 24), torch.randn(1, 8, 16, 24))
    assert [tuple(x.shape[-2:]) for x in seen] == [(8, 12), (4, 6)]
