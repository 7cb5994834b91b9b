from __future__ import annotations

import torch

from edgeflow.nn.blocks.coarse_head import AuxHead, CoarseHead
from edgeflow.nn.blocks.layers import ConvBNReLU


def head() -> CoarseHead:
    return CoarseHead(10, ConvBNReLU(10, 8, 3, bias=True), 8, 4).eval()


def test_all_maps_have_the_features_size() -> None:
    output = head()(torch.randn(2, 10, 9, 13))
    assert output.aux.shape == output.coarse.shape == (2, 1, 9, 13)
    assert output.before.shape == output.after.shape == (2, 8, 9, 13)


def test_the_auxiliary_map_chooses_the_object_that_gives_the_context() -> None:
    network, x = head(), torch.randn(1, 10, 9, 13)
    output = network(x)
    assert torch.equal(output.aux, network.aux(x))
    assert torch.equal(output.before, network.context(x))
    assert torch.equal(output.after, network.ocr(output.before, output.aux))
    assert torch.equal(output.coarse, network.logits(output.after))


def test_auxiliary_logits_may_have_either_sign() -> None:
    aux = AuxHead(10).eval()
    logits = torch.cat([aux(torch.randn(1, 10, 8, 8) * 10) for _ in range(8)])
    assert logits.shape == (8, 1, 8, 8)
    assert torch.isfinite(logits).all()
