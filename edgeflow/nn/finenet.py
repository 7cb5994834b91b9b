"""FineNet: parallel atrous convolutions at full resolution (EdgeFlow, section 3.3)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from edgeflow.nn.layers import ConvBN

DILATIONS = (1, 2, 3)


class LiteFineNet(nn.Module):
    """The light FineNet: it predicts a correction to the coarse logits.

    Input channels: normalised image (3), prompt (3), coarse probability, edge probability.
    """

    def __init__(self, in_channels: int = 8, branch_channels: int = 12, merged: int = 16) -> None:
        super().__init__()
        self.branches = nn.ModuleList(
            ConvBN(in_channels, branch_channels, 3, dilation=dilation) for dilation in DILATIONS
        )
        self.merge = ConvBN(branch_channels * len(DILATIONS), merged, 1)
        self.logits = nn.Conv2d(merged, 1, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """N×8×H×W to N×1×H×W, to be added to the coarse logits."""
        x = torch.cat([F.relu(branch(x)) for branch in self.branches], dim=1)
        out: Tensor = self.logits(F.relu(self.merge(x)))
        return out
