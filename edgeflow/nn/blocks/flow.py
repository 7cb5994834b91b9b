"""Semantic flow: warp a feature map along a learned offset field.

Li et al., *Semantic Flow for Fast and Accurate Scene Parsing*, arXiv:2002.10120; EdgeFlow uses it
to align the prompt's features with the image's (section 3.2).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from edgeflow.nn.blocks.layers import resize


def warp(x: Tensor, flow: Tensor) -> Tensor:
    """Sample ``x`` at the identity grid plus ``flow``.

    Args:
        x: N×C×H×W features.
        flow: N×2×h×w offsets, channel 0 along x; an offset of w (or h) moves by half the map,
            since the grid runs from -1 to 1.

    Returns:
        N×C×h×w, bilinear, zero outside the map.
    """
    batch, _, height, width = flow.shape
    rows = torch.linspace(-1.0, 1.0, height, dtype=flow.dtype, device=flow.device)
    cols = torch.linspace(-1.0, 1.0, width, dtype=flow.dtype, device=flow.device)
    identity = torch.stack(
        (cols.view(1, -1).expand(height, -1), rows.view(-1, 1).expand(-1, width)), dim=-1
    )
    offsets = torch.stack((flow[:, 0] / width, flow[:, 1] / height), dim=-1)
    grid = identity.expand(batch, -1, -1, -1) + offsets
    return F.grid_sample(x, grid, mode="bilinear", padding_mode="zeros", align_corners=True)


class FlowAlign(nn.Module):
    """Warp the *high* feature by a flow that both features predict; *low* only steers."""

    def __init__(self, channels: int, projected: int) -> None:
        super().__init__()
        self.project_high = nn.Conv2d(channels, projected, 1, bias=False)
        self.project_low = nn.Conv2d(channels, projected, 1, bias=False)
        self.flow = nn.Conv2d(2 * projected, 2, 3, padding=1, bias=False)

    def forward(self, low: Tensor, high: Tensor) -> Tensor:
        """Two N×C maps to N×C at ``low``'s height and width."""
        h = resize(self.project_high(high), low.shape[-2:])
        flow = self.flow(torch.cat((h, self.project_low(low)), dim=1))
        return warp(high, flow)
