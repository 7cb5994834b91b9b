"""What the encoder sees at each place of an image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
import torch.nn.functional as F

from edgeflow.arrays import FloatArray
from edgeflow.geometry import Box, Size
from edgeflow.inference.sampling import Sampling
from edgeflow.inference.state import EncodedImage
from edgeflow.runtime.features.encoder import Encoder

STRIDE = 8
"""Network pixels a cell."""

MULTIPLE = 32
SIDES = (448, 512, 640, 768, 896, 1088, 1280)
"""Longer sides at which an image may be looked at, network pixels."""

CELLS = 5.0
"""Cells across an example that are enough to find its like."""


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
        cells, pixels = self.size, self.image_size
        return cells.height / pixels.height, cells.width / pixels.width

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
    """The longer side at which an object covers enough cells.

    Args:
        diameter: The object's, image pixels.
        image: Image size.

    Returns:
        One of :data:`SIDES`.
    """
    wanted = CELLS * STRIDE * max(image) / max(diameter, 1.0)
    return next((side for side in SIDES if side >= wanted), SIDES[-1])


def encode(encoder: Encoder, image: EncodedImage, side: int, sampling: Sampling) -> ImageFeatures:
    """Compute an image's features: both strides, each of unit length, side by side.

    They are not centred over the image, which would gain nothing and make them incomparable with
    another image's.

    Args:
        encoder: The network's encoder.
        image: On the device.
        side: Longer side at the network, network pixels.
        sampling: How the image is resized.
    """
    scale = side / max(image.size)
    size = Size(*(max(MULTIPLE, round(s * scale / MULTIPLE) * MULTIPLE) for s in image.size))
    fine, coarse = encoder(sampling.view(image.pixels, Box.whole(image.size), size))
    coarse = F.interpolate(coarse, size=fine.shape[-2:], mode="bilinear", align_corners=False)
    joined = F.normalize(torch.cat([F.normalize(fine), F.normalize(coarse)], dim=1))
    values = joined[0].permute(1, 2, 0).contiguous().cpu().numpy()
    return ImageFeatures(values.astype(np.float32, copy=False), image.size)
