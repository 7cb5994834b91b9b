"""The coarse head: auxiliary map, object context, coarse mask, all at stride 4."""

from __future__ import annotations

from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor, nn

from edgeflow.nn.blocks.ocr import ObjectContext


class CoarseOutput(NamedTuple):
    """N×1 logits, and N×C features before and after the object context; all of the same size."""

    aux: Tensor
    coarse: Tensor
    before: Tensor
    after: Tensor


class AuxHead(nn.Module):
    """The soft object region that the object context gathers features from."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 1)
        self.bn = nn.BatchNorm2d(channels)
        self.logits = nn.Conv2d(channels, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        """N×channels×H×W to N×1×H×W logits."""
        out: Tensor = self.logits(F.relu(self.bn(self.conv(x))))
        return out


class CoarseHead(nn.Module):
    """Auxiliary and coarse logits from the encoder's features.

    Args:
        in_channels: Channels of the encoder's features.
        context: Block from ``in_channels`` to ``channels``.
        channels: Channels of the object context.
        key_channels: Channels of its attention.
    """

    def __init__(
        self, in_channels: int, context: nn.Module, channels: int, key_channels: int
    ) -> None:
        super().__init__()
        self.aux = AuxHead(in_channels)
        self.context = context
        self.ocr = ObjectContext(channels, key_channels)
        self.logits = nn.Conv2d(channels, 1, 1)

    def forward(self, x: Tensor) -> CoarseOutput:
        """N×in_channels×H×W to maps of the same size."""
        aux = self.aux(x)
        before = self.context(x)
        after = self.ocr(before, aux)
        return CoarseOutput(aux, self.logits(after), before, after)
