"""The edge head: edges are what is left of a feature once the object's body is warped away."""

from __future__ import annotations

from collections.abc import Iterable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from edgeflow.nn.blocks.flow import warp
from edgeflow.nn.blocks.layers import resize


class EdgeHead(nn.Module):
    """After Li et al., *Improving Semantic Segmentation via Decoupled Body and Edge Supervision*.

    Args:
        channels: Channels of both feature maps.
        squeeze: Blocks that halve the resolution, without their ReLU.
        fused: Channels of the fused edge features.
        refine: Block from ``fused`` to ``refined`` channels, including its ReLU.
        refined: Channels of the last features.
    """

    def __init__(
        self,
        channels: int,
        squeeze: Iterable[nn.Module],
        fused: int,
        refine: nn.Module,
        refined: int,
    ) -> None:
        super().__init__()
        self.squeeze = nn.ModuleList(squeeze)
        self.flow = nn.Conv2d(2 * channels, 2, 3, padding=1, bias=False)
        self.fuse = nn.Conv2d(2 * channels, fused, 1, bias=False)
        self.refine = refine
        self.logits = nn.Conv2d(refined, 1, 1, bias=False)

    def forward(self, before: Tensor, after: Tensor) -> Tensor:
        """The coarse head's two feature maps to N×1 edge logits of the same size."""
        body = after
        for layer in self.squeeze:
            body = F.relu(layer(body))
        body = resize(body, after.shape[-2:], align_corners=False)
        flow = self.flow(torch.cat((after, body), dim=1))
        edge = after - warp(after, flow)
        out: Tensor = self.logits(self.refine(self.fuse(torch.cat((edge, before), dim=1))))
        return out
