"""Replacements of the networks' modules for inference.

``warp`` and ``object_vector`` may be overridden through ``__torch_function__``, since an exported
graph has its own operations for them.
"""

from __future__ import annotations

from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import handle_torch_function, has_torch_function

from edgeflow.nn.blocks import flow as reference
from edgeflow.nn.blocks.edge_head import EdgeHead
from edgeflow.nn.blocks.finenet import FineNet
from edgeflow.nn.blocks.layers import resize
from edgeflow.nn.blocks.ocr import ObjectContext, gather_objects
from edgeflow.nn.encoders.hrnet import HRModule
from edgeflow.runtime.folding.batch_norm import affine, fold_after, fold_before, with_weights


def warp(x: Tensor, flow: Tensor) -> Tensor:
    """:func:`edgeflow.nn.blocks.flow.warp`, with positions in float32."""
    if has_torch_function((x, flow)):
        return _overridden(warp, x, flow)
    return reference.warp(widened(x), widened(flow)).to(x.dtype)


def object_vector(features: Tensor, logits: Tensor) -> Tensor:
    """:func:`.gather_objects` for one object: N×C×H×W and N×1×H×W to N×C×1×1."""
    if has_torch_function((features, logits)):
        return _overridden(object_vector, features, logits)
    return gather_objects(features, logits)


def widened(x: Tensor) -> Tensor:
    """A bfloat16 tensor in float32; graph runtimes choose their own precision."""
    return x if has_torch_function((x,)) or x.dtype != torch.bfloat16 else x.float()


class FoldedContext(nn.Module):
    """:class:`~edgeflow.nn.blocks.ocr.ObjectContext` with one object, without its query and key.

    The attention over one object has weight 1, so every pixel gets the same context, and the last
    convolution turns it into one vector an image.
    """

    def __init__(self, context: ObjectContext) -> None:
        super().__init__()
        self.value = fold_after(context.value.conv, context.value.bn)
        self.out = fold_after(context.out.conv, context.out.bn)
        merge = fold_after(context.merge.conv, context.merge.bn)
        of_context, of_features = merge.weight.chunk(2, dim=1)
        self.merge_context = with_weights(merge, of_context, None)
        self.merge_features = with_weights(merge, of_features, merge.bias)

    def forward(self, features: Tensor, logits: Tensor) -> Tensor:
        """N×C×H×W features and N×1×H×W object logits to N×C×H×W."""
        context = F.relu(self.out(F.relu(self.value(object_vector(features, logits)))))
        return F.relu(self.merge_features(features) + self.merge_context(context))


class FoldedFineNet(nn.Module):
    """:class:`.FineNet` without batch norms and without its unused layers."""

    def __init__(self, fine: FineNet) -> None:
        super().__init__()
        branches: list[nn.Module] = []
        ends: list[tuple[Tensor, Tensor]] = []
        for branch in cast("Any", fine.branches):
            second = fold_before(*affine(branch.bn1), branch.conv2)
            branches.append(nn.Sequential(branch.conv1, branch.act1, second, branch.act2))
            ends.append(affine(branch.bn2))
        scale, shift = (torch.cat(values) for values in zip(*ends, strict=True))
        self.branches = nn.ModuleList(branches)
        last = fine.bottleneck
        self.narrow = fold_before(scale, shift, fold_after(last.conv1, last.bn1))
        self.widen = fold_after(last.conv3, last.bn3)
        self.shortcut = fold_before(scale, shift, fold_after(last.shortcut.conv, last.shortcut.bn))
        self.logits = fold_after(fine.logits.conv, fine.logits.bn)

    def forward(self, x: Tensor) -> Tensor:
        """N×8×H×W to N×1×H×W mask logits."""
        x = torch.cat([branch(x) for branch in self.branches], dim=1)
        out = self.widen(F.relu(self.narrow(x)))
        logits: Tensor = self.logits(F.relu(out + self.shortcut(x)))
        return logits


class FoldedExchange(nn.Module):
    """:class:`~edgeflow.nn.encoders.hrnet.HRModule` that adds its maps without stacking them."""

    def __init__(self, module: HRModule) -> None:
        super().__init__()
        self.branches = module.branches
        self.fuse_layers = module.fuse_layers

    def forward(self, levels: list[Tensor]) -> list[Tensor]:
        """One map a branch, finest first, to the same shapes."""
        levels = [branch(x) for branch, x in zip(self.branches, levels, strict=True)]
        fused = []
        for row, own in zip(self.fuse_layers, levels, strict=True):
            layers = zip(cast("nn.ModuleList", row), levels, strict=True)
            total, *rest = (resize(layer(x), own.shape[-2:]) for layer, x in layers)
            for part in rest:
                total = total + part
            fused.append(F.relu(total))
        return fused


class FoldedAlign(nn.Module):
    """:class:`~edgeflow.nn.blocks.flow.FlowAlign` with this module's :func:`warp`."""

    def __init__(self, align: reference.FlowAlign) -> None:
        super().__init__()
        self.project_high = align.project_high
        self.project_low = align.project_low
        self.flow = align.flow

    def forward(self, low: Tensor, high: Tensor) -> Tensor:
        """Two N×C maps to N×C at ``low``'s height and width."""
        h = resize(self.project_high(high), low.shape[-2:])
        return warp(high, self.flow(torch.cat((h, self.project_low(low)), dim=1)))


class FoldedEdge(nn.Module):
    """:class:`~edgeflow.nn.blocks.edge_head.EdgeHead` with this module's :func:`warp`."""

    def __init__(self, head: EdgeHead) -> None:
        super().__init__()
        self.squeeze = head.squeeze
        self.flow = head.flow
        self.fuse = head.fuse
        self.refine = head.refine
        self.logits = head.logits

    def forward(self, before: Tensor, after: Tensor) -> Tensor:
        """The coarse head's two feature maps to N×1 edge logits of the same size."""
        body = after
        for layer in self.squeeze:
            body = F.relu(layer(body))
        body = resize(body, after.shape[-2:], align_corners=False)
        edge = after - warp(after, self.flow(torch.cat((after, body), dim=1)))
        out: Tensor = self.logits(self.refine(self.fuse(torch.cat((edge, before), dim=1))))
        return out


def _overridden(function: Any, *operands: Tensor) -> Tensor:  # noqa: ANN401
    return cast("Tensor", handle_torch_function(function, operands, *operands))
