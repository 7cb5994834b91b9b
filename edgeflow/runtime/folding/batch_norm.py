"""Folding of batch norms into adjacent convolutions: computed in float64, rounded once."""

from __future__ import annotations

import copy
from typing import cast

import torch
from torch import Tensor, nn


def affine(bn: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """A batch norm in evaluation mode as scale and shift: float64, one value a channel."""
    mean, variance = cast("Tensor", bn.running_mean), cast("Tensor", bn.running_var)
    scale = bn.weight.double() / torch.sqrt(variance.double() + bn.eps)
    return scale, bn.bias.double() - mean.double() * scale


def fold_after(conv: nn.Conv2d, bn: nn.BatchNorm2d) -> nn.Conv2d:
    """The convolution that equals ``conv`` followed by ``bn``."""
    scale, shift = affine(bn)
    bias = shift if conv.bias is None else shift + conv.bias.double() * scale
    return with_weights(conv, conv.weight.double() * scale.view(-1, 1, 1, 1), bias)


def fold_before(scale: Tensor, shift: Tensor, conv: nn.Conv2d) -> nn.Conv2d:
    """The convolution that equals ``conv`` applied to ``x * scale + shift``.

    Args:
        scale: float64, one value an input channel.
        shift: float64, one value an input channel.
        conv: 1×1 convolution in one group, without padding, since padded zeros lack the shift.

    Raises:
        ValueError: The convolution is of another kind.
    """
    if conv.kernel_size != (1, 1) or conv.groups != 1 or conv.padding != (0, 0):
        raise ValueError("only a 1×1 convolution without padding takes its input's shift")
    weight = conv.weight.double()
    bias = (weight * shift.view(1, -1, 1, 1)).sum(dim=(1, 2, 3))
    if conv.bias is not None:
        bias = bias + conv.bias.double()
    return with_weights(conv, weight * scale.view(1, -1, 1, 1), bias)


def with_weights(conv: nn.Conv2d, weight: Tensor, bias: Tensor | None) -> nn.Conv2d:
    """A convolution like ``conv`` with other weights, possibly of fewer channels.

    Args:
        conv: Convolution whose stride, padding, dilation, groups and dtype are taken.
        weight: out×in/groups×k×k, any float type.
        bias: One value an output channel.
    """
    result = copy.deepcopy(conv)
    result.in_channels, result.out_channels = weight.shape[1] * conv.groups, weight.shape[0]
    result.weight = _frozen(weight, conv.weight.dtype)
    result.bias = None if bias is None else _frozen(bias, conv.weight.dtype)
    return result


def _frozen(values: Tensor, dtype: torch.dtype) -> nn.Parameter:
    return nn.Parameter(values.detach().to(dtype), requires_grad=False)
