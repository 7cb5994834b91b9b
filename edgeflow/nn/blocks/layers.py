"""Small building blocks that several networks share."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def resize(x: Tensor, size: tuple[int, int] | torch.Size, *, align_corners: bool = True) -> Tensor:
    """Resize an N×C×H×W map bilinearly to ``size`` = (height, width)."""
    if x.shape[-2:] == tuple(size):
        return x
    return F.interpolate(x, size=tuple(size), mode="bilinear", align_corners=align_corners)


class ConvBN(nn.Module):
    """Convolution without bias, then batch norm. The caller adds the activation."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        *,
        stride: int = 1,
        dilation: int = 1,
        groups: int = 1,
        bias: bool = False,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(
            in_channels,
            out_channels,
            kernel_size,
            stride=stride,
            padding=dilation * (kernel_size // 2),
            dilation=dilation,
            groups=groups,
            bias=bias,
        )
        self.bn = nn.BatchNorm2d(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """N×in×H×W to N×out×H'×W'."""
        out: Tensor = self.bn(self.conv(x))
        return out


class ConvBNReLU(ConvBN):
    """:class:`ConvBN`, then ReLU."""

    def forward(self, x: Tensor) -> Tensor:
        """N×in×H×W to N×out×H'×W'."""
        return F.relu(super().forward(x))


class DepthwiseSeparable(nn.Module):
    """Depthwise 3×3, batch norm, ReLU, pointwise 1×1, batch norm, ReLU."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(
            in_channels, in_channels, 3, padding=1, groups=in_channels, bias=False
        )
        self.depthwise_bn = nn.BatchNorm2d(in_channels)
        self.pointwise = nn.Conv2d(in_channels, out_channels, 1, bias=False)
        self.pointwise_bn = nn.BatchNorm2d(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """N×in×H×W to N×out×H×W."""
        x = F.relu(self.depthwise_bn(self.depthwise(x)))
        return F.relu(self.pointwise_bn(self.pointwise(x)))


def pad_same(x: Tensor, kernel_size: int, stride: int) -> Tensor:
    """Zero-pad so that a convolution gives ⌈side / stride⌉; the odd pixel goes right or bottom."""

    def padding(side: int) -> tuple[int, int]:
        total = max((-(-side // stride) - 1) * stride + kernel_size - side, 0)
        return total // 2, total - total // 2

    return F.pad(x, (*padding(x.shape[-1]), *padding(x.shape[-2])))


class SameConv2d(nn.Conv2d):
    """A square convolution with TensorFlow's and Paddle's "SAME" padding; no dilation."""

    def forward(self, input: Tensor) -> Tensor:
        """N×in×H×W to N×out×⌈H/stride⌉×⌈W/stride⌉."""
        return super().forward(pad_same(input, self.kernel_size[0], self.stride[0]))


class SameConvBN(nn.Module):
    """Depthwise 3×3 with "SAME" padding and bias, then batch norm."""

    def __init__(self, channels: int, *, stride: int) -> None:
        super().__init__()
        self.conv = SameConv2d(channels, channels, 3, stride=stride, groups=channels)
        self.bn = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        """N×channels×H×W to N×channels×⌈H/stride⌉×⌈W/stride⌉."""
        out: Tensor = self.bn(self.conv(x))
        return out
