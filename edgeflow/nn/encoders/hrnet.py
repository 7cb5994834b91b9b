"""HRNet, the encoder of the published click networks, with the public parameter names.

Wang et al., *Deep High-Resolution Representation Learning for Visual Recognition*,
arXiv:1908.07919. ImageNet weights of the public HRNet-W18 load by key.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from edgeflow.nn.blocks.layers import resize

STEM_WIDTH = 64
LAYER1_WIDTH = 256


class Depth(NamedTuple):
    """Depth of a network: bottlenecks of layer1, blocks a branch, modules of stages 2 to 4."""

    bottlenecks: int
    blocks: int
    modules: tuple[int, int, int]


FULL_DEPTH = Depth(4, 4, (1, 4, 3))
SMALL_DEPTH = Depth(2, 2, (1, 3, 2))


def _conv(in_channels: int, out_channels: int, kernel_size: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(
        in_channels, out_channels, kernel_size, stride, padding=kernel_size // 2, bias=False
    )


def _conv_bn(in_channels: int, out_channels: int, kernel_size: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        _conv(in_channels, out_channels, kernel_size, stride), nn.BatchNorm2d(out_channels)
    )


def _conv_bn_relu(in_channels: int, out_channels: int, stride: int) -> nn.Sequential:
    return nn.Sequential(*_conv_bn(in_channels, out_channels, 3, stride), nn.ReLU())


class BasicBlock(nn.Module):
    """Two 3×3 convolutions and a shortcut."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = _conv(channels, channels, 3)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = _conv(channels, channels, 3)
        self.bn2 = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        """N×channels×H×W to the same shape."""
        out = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(out)) + x)


class Bottleneck(nn.Module):
    """1×1, 3×3, 1×1 and a shortcut, four times as wide at its end as in its middle."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        middle = out_channels // 4
        self.conv1 = _conv(in_channels, middle, 1)
        self.bn1 = nn.BatchNorm2d(middle)
        self.conv2 = _conv(middle, middle, 3)
        self.bn2 = nn.BatchNorm2d(middle)
        self.conv3 = _conv(middle, out_channels, 1)
        self.bn3 = nn.BatchNorm2d(out_channels)
        self.downsample = (
            _conv_bn(in_channels, out_channels, 1, 1) if in_channels != out_channels else None
        )

    def forward(self, x: Tensor) -> Tensor:
        """N×in×H×W to N×out×H×W."""
        out = F.relu(self.bn1(self.conv1(x)))
        out = F.relu(self.bn2(self.conv2(out)))
        shortcut = x if self.downsample is None else self.downsample(x)
        return F.relu(self.bn3(self.conv3(out)) + shortcut)


class HRModule(nn.Module):
    """Parallel branches of halving resolution, and an exchange between all of them."""

    def __init__(self, widths: list[int], blocks: int) -> None:
        super().__init__()
        self.branches = nn.ModuleList(
            nn.Sequential(*(BasicBlock(width) for _ in range(blocks))) for width in widths
        )
        self.fuse_layers = nn.ModuleList(
            nn.ModuleList(self._exchange(widths, source, target) for source in range(len(widths)))
            for target in range(len(widths))
        )

    @staticmethod
    def _exchange(widths: list[int], source: int, target: int) -> nn.Module:
        if source == target:
            return nn.Identity()
        if source > target:
            return _conv_bn(widths[source], widths[target], 1, 1)
        steps: list[nn.Module] = [
            _conv_bn_relu(widths[source], widths[source], 2) for _ in range(target - source - 1)
        ]
        return nn.Sequential(*steps, _conv_bn(widths[source], widths[target], 3, 2))

    def forward(self, levels: list[Tensor]) -> list[Tensor]:
        """One map a branch, finest first, to the same shapes."""
        levels = [branch(x) for branch, x in zip(self.branches, levels, strict=True)]
        fused = []
        for row, own in zip(self.fuse_layers, levels, strict=True):
            assert isinstance(row, nn.ModuleList)  # noqa: S101 - for the type checker
            parts = [resize(f(x), own.shape[-2:]) for f, x in zip(row, levels, strict=True)]
            fused.append(F.relu(torch.stack(parts).sum(dim=0)))
        return fused


class HRNet(nn.Module):
    """Stem, layer1 and four branches; the caller may fuse in between."""

    def __init__(self, width: int, depth: Depth) -> None:
        super().__init__()
        widths = [width, 2 * width, 4 * width, 8 * width]
        self.conv1 = _conv(3, STEM_WIDTH, 3, stride=2)
        self.bn1 = nn.BatchNorm2d(STEM_WIDTH)
        self.conv2 = _conv(STEM_WIDTH, STEM_WIDTH, 3, stride=2)
        self.bn2 = nn.BatchNorm2d(STEM_WIDTH)
        self.layer1 = nn.Sequential(
            *(
                Bottleneck(LAYER1_WIDTH if index else STEM_WIDTH, LAYER1_WIDTH)
                for index in range(depth.bottlenecks)
            )
        )
        self.transition1 = nn.ModuleList(
            [
                _conv_bn_relu(LAYER1_WIDTH, widths[0], 1),
                nn.Sequential(_conv_bn_relu(LAYER1_WIDTH, widths[1], 2)),
            ]
        )
        self.stage2 = self._stage(widths[:2], depth.blocks, depth.modules[0])
        self.transition2 = self._new_branch(widths[:3])
        self.stage3 = self._stage(widths[:3], depth.blocks, depth.modules[1])
        self.transition3 = self._new_branch(widths)
        self.stage4 = self._stage(widths, depth.blocks, depth.modules[2])

    @staticmethod
    def _stage(widths: list[int], blocks: int, modules: int) -> nn.Sequential:
        return nn.Sequential(*(HRModule(widths, blocks) for _ in range(modules)))

    @staticmethod
    def _new_branch(widths: list[int]) -> nn.ModuleList:
        keep = [nn.Identity() for _ in widths[:-1]]
        return nn.ModuleList([*keep, nn.Sequential(_conv_bn_relu(widths[-2], widths[-1], 2))])

    def stem(self, image: Tensor, guide: Tensor) -> Tensor:
        """Stem and layer1.

        Args:
            image: N×3×H×W, normalised.
            guide: N×64×⌈H/2⌉×⌈W/2⌉, added after the first convolution (early fusion).

        Returns:
            N×256 at stride 4.
        """
        x = F.relu(self.bn1(self.conv1(image))) + guide
        x = F.relu(self.bn2(self.conv2(x)))
        out: Tensor = self.layer1(x)
        return out

    def branches(self, x: Tensor) -> Tensor:
        """Stages 2 to 4: N×256 to N×15·width at the same size, all branches, finest first."""
        return torch.cat([resize(level, x.shape[-2:]) for level in self.levels(x)], dim=1)

    def levels(self, x: Tensor) -> list[Tensor]:
        """Stages 2 to 4: N×256 at stride 4 to a map a branch, at strides 4, 8, 16 and 32."""
        levels = self.stage2([layer(x) for layer in self.transition1])
        levels = self.stage3([*levels, self.transition2[-1](levels[-1])])
        last: list[Tensor] = self.stage4([*levels, self.transition3[-1](levels[-1])])
        return last
