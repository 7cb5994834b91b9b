"""Where an image looks like an example."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from edgeflow.arrays import FloatMap
from edgeflow.geometry import ImagePoint
from edgeflow.similar.descriptor import Descriptor
from edgeflow.similar.features import ImageFeatures

SUPPRESSION = 0.5
"""Least distance of two peaks, as a part of the example's sides."""


class Peak(NamedTuple):
    """A place that looks like an example.

    Attributes:
        point: Where, image pixels.
        response: How much; what the example itself has is about 1.
        height: Of the object that is expected there, image pixels.
        width: Of the object that is expected there, image pixels.
    """

    point: ImagePoint
    response: float
    height: float
    width: float


def response(features: ImageFeatures, example: Descriptor) -> FloatMap:
    """Correlation with what tells an example from its surroundings: h×w float32."""
    direction = example.inside - example.around
    norm = float(np.linalg.norm(direction)) or 1.0
    values: FloatMap = (features.values @ (direction / norm)).astype(np.float32)
    return values


def peaks(
    features: ImageFeatures, example: Descriptor, counter_examples: Sequence[Descriptor]
) -> list[Peak]:
    """Places that look like an example, the likeliest first."""
    down, across = features.scale
    rows, cols = (max(1, round(x)) for x in (example.height * down, example.width * across))
    values = response(features, example)
    for other in counter_examples:
        values -= np.float32(0.5) * np.maximum(response(features, other), 0)
    smooth = cv2.blur(values, (cols, rows), borderType=cv2.BORDER_REFLECT)
    shape = tuple(2 * max(1, round(SUPPRESSION * side / 2)) + 1 for side in (cols, rows))
    top = cv2.dilate(smooth, np.ones(shape[::-1], dtype=np.uint8))
    at = np.argwhere((smooth == top) & (smooth > 0))
    order = np.argsort([-smooth[row, col] for row, col in at], kind="stable")
    return [
        Peak(
            ImagePoint((col + 0.5) / across - 0.5, (row + 0.5) / down - 0.5),
            float(smooth[row, col]),
            example.height,
            example.width,
        )
        for row, col in at[order].tolist()
    ]
