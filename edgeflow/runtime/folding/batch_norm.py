"""Batch norms into the convolutions beside them: exact, computed in float64, rounded once."""

from __future__ import annotations

import copy
from typing import cast

import torch
from torch import Tensor, nn


def affine(bn: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """A batch norm in evaluation mode as a scale and a shift: float64, one value a channel."""
    mean, variance = cast("Tensor", bn.running_mean), cast("Tensor", bn.running_var)
    scale = bn.weight.double() / torch.sqrt(variance.double() + bn.eps)
    return scale, bn.bias.double() - mean.double() * scale


def fold_after(conv: nn.Conv2d, bn: nn.BatchNorm2d) -> nn.Conv2d:
    """The convolution that does what ``conv`` and then ``bn`` do."""
    scale, shift = affine(bn)
    bias = shift if conv.bias is None else shift + conv.bias.double() * scale
    return with_weights(conv, conv.weight.double() * scale.view(-1, 1, 1, 1), bias)


def fold_before(scale: Tensor, shift: Tensor, conv: nn.Conv2d) -> nn.Conv2d:
    """The convolution that does what ``conv`` does to ``x * scale + shift``.

    Args:
        scale: float64, one value an input channel.
        shift: likewise.
        conv: 1×1 in one group: padding would be where the shift is missing.

    Raises:
        ValueError: another kind of convolution.
    """
    if conv.kernel_size != (1, 1) or conv.groups != 1 or conv.padding != (0, 0):
        raise ValueError("only a 1×1 convolution without padding takes its input's shift")
    weight = conv.weight.double()
    bias = (weight * shift.view(1, -1, 1, 1)).sum(dim=(1, 2, 3))
    if conv.bias is not None:
        bias = bias + conv.bias.double()
    return with_weights(conv, weight * scale.view(1, -1, 1, 1), bias)


def with_weights(conv: nn.Conv2d, weight: Tensor, bias: Tensor | None) -> nn.Conv2d:
    """A convolution like ``conv`` with other weights, perhaps of fewer channels.

    Args:
        conv: gives kind, stride, padding, dilation, groups and dtype.
        weight: out×in/groups×k×k, any float type.
        bias: one value an output channel.
    """
    made = copy.deepcopy(conv)
    made.in_channels, made.out_channels = weight.shape[1] * conv.groups, weight.shape[0]
    made.weight = _frozen(weight, conv.weight.dtype)
    made.bias = None if bias is None else _frozen(bias, conv.weight.dtype)
    return made


def _frozen(values: Tensor, dtype: torch.dtype) -> nn.Parameter:
    return nn.Parameter(values.detach().to(dtype), requires_grad=False)
