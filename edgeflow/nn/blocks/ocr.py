"""Object-contextual representations with a single object: the coarse mask head.

Yuan et al., *Segmentation Transformer: Object-Contextual Representations for Semantic
Segmentation*, arXiv:1909.11065. A click network has one object class, so the attention over objects
always has weight 1; query and key are kept because published weights hold them.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from edgeflow.nn.blocks.layers import ConvBN


class _TwoLayerProjection(nn.Module):
    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, out_channels, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(x)))


def gather_objects(features: Tensor, logits: Tensor) -> Tensor:
    """Average pixel features into one vector an object, weighted by a softmax over all pixels.

    Args:
        features: N×C×H×W.
        logits: N×K×H×W, one map an object.

    Returns:
        N×C×K×1 object vectors.
    """
    weights = logits.flatten(2).softmax(dim=2)
    vectors = torch.bmm(features.flatten(2), weights.transpose(1, 2))
    return vectors.unsqueeze(3)


class ObjectContext(nn.Module):
    """Give every pixel the context of the object it belongs to."""

    def __init__(self, channels: int, key_channels: int) -> None:
        super().__init__()
        self.key_channels = key_channels
        self.query = _TwoLayerProjection(channels, key_channels)
        self.key = _TwoLayerProjection(channels, key_channels)
        self.value = ConvBN(channels, key_channels, 1)
        self.out = ConvBN(key_channels, channels, 1)
        self.merge = ConvBN(2 * channels, channels, 1)

    def forward(self, features: Tensor, logits: Tensor) -> Tensor:
        """N×C×H×W features and N×K×H×W object logits to N×C×H×W."""
        batch, _, height, width = features.shape
        objects = gather_objects(features, logits)
        query = self.query(features).flatten(2).transpose(1, 2)
        key = self.key(objects).flatten(2)
        value = F.relu(self.value(objects)).flatten(2).transpose(1, 2)
        attention = (torch.bmm(query, key) * self.key_channels**-0.5).softmax(dim=2)
        context = torch.bmm(attention, value).transpose(1, 2)
        context = F.relu(self.out(context.reshape(batch, self.key_channels, height, width)))
        return F.relu(self.merge(torch.cat((context, features), dim=1)))
