"""Folding: a copy of a network without the work that inference does not need.

The result is mathematically the same. Batch norms are folded into adjacent convolutions and the
prompt stem's scale into its weights; OCR's query and key and FineNet's unused layers are dropped.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable
from typing import TypeVar, cast

from torch import Tensor, nn

from edgeflow.nn.blocks.coarse_head import AuxHead
from edgeflow.nn.blocks.edge_head import EdgeHead
from edgeflow.nn.blocks.finenet import FineNet
from edgeflow.nn.blocks.flow import FlowAlign
from edgeflow.nn.blocks.fusion import AlignedFusion
from edgeflow.nn.blocks.layers import ConvBN, DepthwiseSeparable, SameConv2d, SameConvBN
from edgeflow.nn.blocks.ocr import ObjectContext
from edgeflow.nn.blocks.prompt_stem import PromptStem
from edgeflow.nn.encoders.efficientnet_lite import MBConv, Stem
from edgeflow.nn.encoders.hrnet import BasicBlock, Bottleneck, HRModule, HRNet
from edgeflow.runtime.folding.batch_norm import fold_after, with_weights
from edgeflow.runtime.folding.modules import (
    FoldedAlign,
    FoldedContext,
    FoldedEdge,
    FoldedExchange,
    FoldedFineNet,
)

Network = TypeVar("Network", bound=nn.Module)

_CONV_BN = (("conv", "bn"),)
_PAIRS: dict[type[nn.Module], tuple[tuple[str, str], ...]] = {
    AlignedFusion: _CONV_BN,
    AuxHead: _CONV_BN,
    BasicBlock: (("conv1", "bn1"), ("conv2", "bn2")),
    Bottleneck: (("conv1", "bn1"), ("conv2", "bn2"), ("conv3", "bn3")),
    ConvBN: _CONV_BN,
    DepthwiseSeparable: (("depthwise", "depthwise_bn"), ("pointwise", "pointwise_bn")),
    HRNet: (("conv1", "bn1"), ("conv2", "bn2")),
    MBConv: (
        ("expand_conv", "expand_bn"),
        ("depthwise_conv", "depthwise_bn"),
        ("project_conv", "project_bn"),
    ),
    SameConvBN: _CONV_BN,
    Stem: _CONV_BN,
}
"""Convolutions that a batch norm directly follows, by the module that holds both."""


def fold(network: Network) -> Network:
    """A copy that gives the same logits with less work, up to the rounding of its weights.

    Args:
        network: Network with its weights, in evaluation mode. It is not changed. Modules that are
            unknown here are copied unchanged.
    """
    folded = copy.deepcopy(network).eval().requires_grad_(requires_grad=False)
    for module in list(folded.modules()):
        for name, child in list(module.named_children()):
            if type(child) in _FORMS:
                setattr(module, name, _FORMS[type(child)](child))
    for module in list(folded.modules()):
        _fold_pairs(module)
    return folded.requires_grad_(requires_grad=False)


def _folded_stem(stem: PromptStem) -> nn.Module:
    scale, last = stem.scale.abs().double(), stem.conv2
    bias = cast("Tensor", last.bias)
    scaled = with_weights(last, last.weight.double() * scale, bias.double() * scale)
    return nn.Sequential(stem.conv1, nn.LeakyReLU(0.2), scaled)


def _padding_inside(conv: SameConv2d) -> nn.Conv2d:
    """At stride 1, "SAME" padding is symmetric for every size, so the convolution can do it."""
    size = conv.kernel_size[0]
    if conv.stride != (1, 1) or size % 2 == 0:
        return conv
    plain = nn.Conv2d(
        conv.in_channels,
        conv.out_channels,
        size,
        padding=size // 2,
        groups=conv.groups,
        dtype=conv.weight.dtype,
    )
    return with_weights(plain, conv.weight, conv.bias)


def _fold_pairs(module: nn.Module) -> None:
    pairs = next((pairs for kind, pairs in _PAIRS.items() if isinstance(module, kind)), ())
    if isinstance(module, nn.Sequential):
        names = [name for name, _ in module.named_children()]
        pairs = tuple(itertools.pairwise(names))
    for conv_name, bn_name in pairs:
        conv, bn = getattr(module, conv_name, None), getattr(module, bn_name, None)
        if isinstance(conv, nn.Conv2d) and isinstance(bn, nn.BatchNorm2d):
            setattr(module, conv_name, fold_after(conv, bn))
            setattr(module, bn_name, nn.Identity())


_FORMS: dict[type[nn.Module], Callable[..., nn.Module]] = {
    EdgeHead: FoldedEdge,
    FineNet: FoldedFineNet,
    FlowAlign: FoldedAlign,
    HRModule: FoldedExchange,
    ObjectContext: FoldedContext,
    PromptStem: _folded_stem,
    SameConv2d: _padding_inside,
}
"""Replacements of modules, by their type."""
