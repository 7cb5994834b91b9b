"""Where an image looks like an example."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from edgeflow.arrays import FloatArray, FloatMap
from edgeflow.geometry import ImagePoint
from edgeflow.similar.descriptor import Descriptor
from edgeflow.similar.features import ImageFeatures

SMOOTHING = 0.35
"""Side of the square over which the response is averaged, in diameters of the example. As large
as the example, neighbours' responses would melt into one."""

SUPPRESSION = 0.5
"""Side of the square of which a place is the maximum, in diameters of the example."""

LEAST_RESPONSE = 0.4
"""Response of the weakest place that is worth a network step; the example's own is 1. Below lie 1 %
of the objects that are found, and 30 % of all places."""


class Place(NamedTuple):
    """A place that looks like an example.

    Attributes:
        point: Where, image pixels.
        response: How much; the example itself has 1 on average.
        length: Longer side of the object that is expected there, image pixels.
    """

    point: ImagePoint
    response: float
    length: float


def places(
    features: ImageFeatures, examples: Sequence[Descriptor], unlike: Sequence[Descriptor] = ()
) -> list[Place]:
    """Places that look like one of the examples, the likeliest first.

    Args:
        features: Of the image.
        examples: At least one.
        unlike: Objects that are not meant.
    """
    each = [place for example in examples for place in _places(features, example, unlike)]
    return sorted(each, key=lambda place: -place.response)


def _places(
    features: ImageFeatures, example: Descriptor, unlike: Sequence[Descriptor]
) -> list[Place]:
    values = _response(features, example)
    for other in unlike:
        values -= np.maximum(_response(features, other), 0) / np.float32(2)
    down, across = features.scale
    diameter = example.diameter
    rows, cols = (max(1, round(SMOOTHING * diameter * scale)) for scale in (down, across))
    smooth = cv2.blur(values, (cols, rows), borderType=cv2.BORDER_REFLECT)
    rows, cols = (
        2 * max(1, round(SUPPRESSION * diameter * scale / 2)) + 1 for scale in (down, across)
    )
    top = cv2.dilate(smooth, np.ones((rows, cols), dtype=np.uint8))
    length = max(example.height, example.width)
    return [
        Place(
            ImagePoint((col + 0.5) / across - 0.5, (row + 0.5) / down - 0.5),
            float(smooth[row, col]),
            length,
        )
        for row, col in np.argwhere((smooth == top) & (smooth > LEAST_RESPONSE)).tolist()
    ]


def _response(features: ImageFeatures, example: Descriptor) -> FloatMap:
    """Correlation with what tells an example from its surroundings: h×w float32.

    0 is what the surroundings have, 1 what the example has.
    """
    direction = example.contrast
    scale = float(direction @ direction) or 1.0
    offset: FloatArray = features.values - example.around
    response: FloatMap = (offset @ (direction / scale)).astype(np.float32)
    return response
