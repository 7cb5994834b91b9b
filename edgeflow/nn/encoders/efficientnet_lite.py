"""EfficientNet-Lite2, the encoder of EdgeFlow-Lite, with TensorFlow's "SAME" padding.

Tan & Le, *EfficientNet*, arXiv:1905.11946; the Lite variant drops squeeze-and-excitation and uses
ReLU6. Module names follow the shipped checkpoint.
"""

from __future__ import annotations

from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor, nn

from edgeflow.nn.blocks.layers import SameConv2d

BN_EPS = 1e-3


class Stage(NamedTuple):
    """A run of MBConv blocks; only the first one strides and changes the width."""

    repeats: int
    kernel_size: int
    stride: int
    expansion: int
    width: int


STEM_WIDTH = 32
STAGES = (
    Stage(1, 3, 1, 1, 16),
    Stage(3, 3, 2, 6, 24),
    Stage(3, 5, 2, 6, 48),
    Stage(4, 3, 2, 6, 88),
    Stage(4, 5, 1, 6, 120),
    Stage(5, 5, 2, 6, 208),
    Stage(1, 3, 1, 6, 352),
)


class Stem(nn.Module):
    """3×3 convolution at stride 2, batch norm, ReLU6."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = SameConv2d(3, STEM_WIDTH, 3, stride=2, bias=False)
        self.bn = nn.BatchNorm2d(STEM_WIDTH, eps=BN_EPS)

    def forward(self, x: Tensor) -> Tensor:
        """N×3×H×W to N×32×⌈H/2⌉×⌈W/2⌉."""
        return F.relu6(self.bn(self.conv(x)))


class MBConv(nn.Module):
    """Inverted residual: expand 1×1, depthwise, project 1×1."""

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: int, stride: int, expansion: int
    ) -> None:
        super().__init__()
        hidden = in_channels * expansion
        self.residual = stride == 1 and in_channels == out_channels
        self.expands = expansion != 1
        if self.expands:
            self.expand_conv = nn.Conv2d(in_channels, hidden, 1, bias=False)
            self.expand_bn = nn.BatchNorm2d(hidden, eps=BN_EPS)
        self.depthwise_conv = SameConv2d(
            hidden, hidden, kernel_size, stride=stride, groups=hidden, bias=False
        )
        self.depthwise_bn = nn.BatchNorm2d(hidden, eps=BN_EPS)
        self.project_conv = nn.Conv2d(hidden, out_channels, 1, bias=False)
        self.project_bn = nn.BatchNorm2d(out_channels, eps=BN_EPS)

    def forward(self, x: Tensor) -> Tensor:
        """N×in×H×W to N×out×⌈H/stride⌉×⌈W/stride⌉."""
        hidden = F.relu6(self.expand_bn(self.expand_conv(x))) if self.expands else x
        hidden = F.relu6(self.depthwise_bn(self.depthwise_conv(hidden)))
        out: Tensor = self.project_bn(self.project_conv(hidden))
        return out + x if self.residual else out


class EfficientNetLite2(nn.Module):
    """Stem and 21 blocks. ``stage`` runs one stage, so that a caller can fuse in between."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = Stem()
        blocks: list[MBConv] = []
        self.stage_slices: list[slice] = []
        width = STEM_WIDTH
        for stage in STAGES:
            start = len(blocks)
            for index in range(stage.repeats):
                stride = stage.stride if index == 0 else 1
                blocks.append(
                    MBConv(width, stage.width, stage.kernel_size, stride, stage.expansion)
                )
                width = stage.width
            self.stage_slices.append(slice(start, len(blocks)))
        self.blocks = nn.ModuleList(blocks)

    def stage(self, index: int, x: Tensor) -> Tensor:
        """Run stage ``index`` (0 to 6) on an N×C×H×W map."""
        for block in self.blocks[self.stage_slices[index]]:
            x = block(x)
        return x
