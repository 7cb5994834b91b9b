"""What every click network takes and gives."""

from __future__ import annotations

from typing import Literal, NamedTuple

from torch import Tensor

Feedback = Literal["edge", "mask"]
"""Which of its own outputs a network is fed at the next click (EdgeFlow: the edge map)."""

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


class NetworkOutput(NamedTuple):
    """Logits, each N×1×H×W float at the input's height and width."""

    mask: Tensor
    coarse: Tensor
    aux: Tensor
    edge: Tensor
