"""What the encoder sees at each place of an image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from edgeflow.arrays import FloatArray
from edgeflow.geometry import Box, Size
from edgeflow.inference.sampling import Sampling
from edgeflow.inference.state import EncodedImage
from edgeflow.runtime.features.encoder import Encoder

STRIDE = 8
"""Network pixels a feature cell."""

MULTIPLE = 32
SIDES = (448, 512, 640, 768, 896)
"""Longer sides at which an image may be looked at, network pixels."""

CELLS = 5.0
"""Feature cells across an example that are enough to tell it from others."""


@dataclass(frozen=True)
class ImageFeatures:
    """Features of an image, of unit length at each cell.

    Attributes:
        values: h×w×C float32.
        image_size: Size of the image that the cells cover.
    """

    values: FloatArray
    image_size: Size

    @property
    def size(self) -> Size:
        """Cells down and across."""
        return Size(*self.values.shape[:2])

    @property
    def scale(self) -> tuple[float, float]:
        """Cells an image pixel, down and across."""
        return (
            self.size.height / self.image_size.height,
            self.size.width / self.image_size.width,
        )

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self.values.nbytes


class FeatureStore(Protocol):
    """Keeps features by key. Losing any entry at any time is allowed."""

    def get(self, key: str) -> ImageFeatures | None:
        """The features under ``key``; None if there are none, or none any more."""
        ...

    def put(self, key: str, features: ImageFeatures) -> None:
        """Store ``features``; they may be lost again at once."""
        ...


def side_for(diameter: float, image: Size) -> int:
    """The longer side at which an object covers enough feature cells.

    Args:
        diameter: The object's, image pixels.
        image: Image size.

    Returns:
        One of :data:`SIDES`.
    """
    wanted = CELLS * STRIDE * max(image) / max(diameter, 1.0)
    return next((side for side in SIDES if side >= wanted), SIDES[-1])


def encode(encoder: Encoder, image: EncodedImage, side: int, sampling: Sampling) -> ImageFeatures:
    """Compute an image's features.

    Each level is centred over the image, since what all of it shares tells nothing apart, and
    normalised.

    Args:
        encoder: The network's encoder.
        image: On the device.
        side: Longer side at the network, network pixels.
        sampling: How the image is resized.
    """
    scale = side / max(image.size)
    size = Size(*(max(MULTIPLE, round(s * scale / MULTIPLE) * MULTIPLE) for s in image.size))
    view = sampling.view(image.pixels, Box.whole(image.size), size)
    levels = encoder(view)
    cells = levels[0].shape[-2:]
    joined = torch.cat([_resized(_unit(_centred(x)), cells) for x in levels], dim=1)
    values = _unit(joined)[0].permute(1, 2, 0).contiguous().cpu().numpy()
    return ImageFeatures(values.astype(np.float32, copy=False), image.size)


def _centred(values: Tensor) -> Tensor:
    return values - values.mean(dim=(2, 3), keepdim=True)


def _unit(values: Tensor) -> Tensor:
    return F.normalize(values, dim=1)


def _resized(values: Tensor, cells: torch.Size) -> Tensor:
    return F.interpolate(values, size=cells, mode="bilinear", align_corners=False)
