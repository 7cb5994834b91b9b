"""What every click network takes and gives."""

from __future__ import annotations

from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

Feedback = Literal["edge", "mask"]
"""Which of its own outputs a network is fed at the next click (EdgeFlow: the edge map)."""

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


class NetworkOutput(NamedTuple):
    """Logits, each N×1×H×W float at the input's height and width; not every network has edges."""

    mask: Tensor
    coarse: Tensor
    aux: Tensor
    edge: Tensor | None


class ImageNormalisation(nn.Module):
    """N×3×H×W RGB in [0, 1] to ImageNet's mean and standard deviation."""

    mean: Tensor
    std: Tensor

    def __init__(self) -> None:
        super().__init__()
        for name, values in (("mean", IMAGENET_MEAN), ("std", IMAGENET_STD)):
            self.register_buffer(name, torch.tensor(values).view(1, 3, 1, 1), persistent=False)

    def forward(self, image: Tensor) -> Tensor:
        """Normalise."""
        return (image - self.mean) / self.std
