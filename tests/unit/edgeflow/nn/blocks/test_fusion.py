from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from edgeflow.nn.blocks.fusion import AlignedFusion


@pytest.mark.parametrize(
    ("stride", "guide_size", "size"),
    [(2, (16, 24), (8, 12)), (2, (17, 23), (9, 12)), (1, (8, 8), (8, 8))],
)
def test_guide_and_features_meet_at_one_size(
    stride: int, guide_size: tuple[int, int], size: tuple[int, int]
) -> None:
    fusion = AlignedFusion(6, 8, 4, stride)
    fused, guide = fusion(torch.randn(2, 6, *guide_size), torch.randn(2, 8, *size))
    assert fused.shape == guide.shape == (2, 8, *size)


def test_the_aligned_features_are_added_and_handed_on_as_the_next_guide() -> None:
    fusion = AlignedFusion(6, 8, 4, 2).eval()
    raw, features = torch.randn(1, 6, 16, 24), torch.randn(1, 8, 8, 12)
    fused, guide = fusion(raw, features)
    low = F.relu(fusion.bn(fusion.conv(raw)))
    torch.testing.assert_close(guide, fusion.align(low=low, high=features))
    torch.testing.assert_close(fused, features + guide)


def test_without_a_learned_flow_features_are_doubled() -> None:
    fusion = AlignedFusion(6, 8, 4, 2).eval()
    nn.init.zeros_(fusion.align.flow.weight)
    features = torch.randn(1, 8, 8, 12)
    fused, _ = fusion(torch.randn(1, 6, 16, 24), features)
    torch.testing.assert_close(fused, 2 * features, atol=1e-5, rtol=0)
