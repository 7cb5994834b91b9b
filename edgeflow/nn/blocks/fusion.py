"""Middle and late fusion: the prompt's features steer the image's (EdgeFlow, section 3.2)."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from edgeflow.nn.blocks.flow import FlowAlign


class AlignedFusion(nn.Module):
    """Fuse the prompt's features with the image's, after aligning the image's by flow."""

    def __init__(self, in_channels: int, channels: int, projected: int, stride: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, channels, 3, stride=stride, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(channels)
        self.align = FlowAlign(channels, projected)

    def forward(self, guide: Tensor, features: Tensor) -> tuple[Tensor, Tensor]:
        """Return the fused features and the aligned guide, both N×channels at the same size."""
        guide = F.relu(self.bn(self.conv(guide)))
        aligned = self.align(low=guide, high=features)
        return features + aligned, aligned
