"""FineNet: parallel atrous convolutions at full resolution (EdgeFlow, section 3.3)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from edgeflow.nn.blocks.layers import ConvBN

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


class _AtrousBranch(nn.Module):
    def __init__(self, in_channels: int, dilation: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, 32, 3, padding=dilation, dilation=dilation, bias=False)
        self.act1 = nn.PReLU()
        self.bn1 = nn.BatchNorm2d(32)
        self.conv2 = nn.Conv2d(32, 16, 1, bias=False)
        self.act2 = nn.PReLU()
        self.bn2 = nn.BatchNorm2d(16)

    def forward(self, x: Tensor) -> Tensor:
        x = self.bn1(self.act1(self.conv1(x)))
        out: Tensor = self.bn2(self.act2(self.conv2(x)))
        return out


class _Bottleneck(nn.Module):
    """A bottleneck whose stored 3×3 convolution is never run by the published network."""

    def __init__(self, in_channels: int, middle: int, out_channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, middle, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(middle)
        self.conv2 = nn.Conv2d(middle, middle, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(middle)
        self.conv3 = nn.Conv2d(middle, out_channels, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(out_channels)
        self.shortcut = ConvBN(in_channels, out_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        out = self.bn3(self.conv3(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(out + self.shortcut(x))


class FineNet(nn.Module):
    """The paper's FineNet: its output is the mask itself. Inputs as for :class:`LiteFineNet`."""

    def __init__(self, in_channels: int = 8) -> None:
        super().__init__()
        self.branches = nn.ModuleList(
            _AtrousBranch(in_channels, dilation) for dilation in DILATIONS
        )
        self.bottleneck = _Bottleneck(16 * len(DILATIONS), 32, 64)
        self.logits = ConvBN(64, 1, 3)

    def forward(self, x: Tensor) -> Tensor:
        """N×8×H×W to N×1×H×W mask logits."""
        x = torch.cat([branch(x) for branch in self.branches], dim=1)
        out: Tensor = self.logits(self.bottleneck(x))
        return out
