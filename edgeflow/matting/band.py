"""The band around a mask's border in which alpha is not known."""

from __future__ import annotations

import math

import cv2
import numpy as np

from edgeflow.arrays import BoolMask, FloatMap
from edgeflow.masks.patch import bounding_box

PART = 1 / 48
"""Radius of the band as a part of the object's size: a network that zooms in errs in proportion."""

SMALLEST = 3
"""Smallest radius, pixels: what a lens and a demosaicing blur."""

UNSURE = 0.1
"""Where a network's probability lies between this and 1 - this, it does not know."""

FARTHEST = 3
"""How far from the border such pixels still belong to the band, in radii."""

CORE = 0.8
"""Depth from which on a pixel is sure, as a part of the greatest depth in a disk of the radius."""

CORE_DEPTH = 2.0
"""Smallest such depth, pixels: hairs have no core."""


def band_radius(mask: BoolMask) -> int:
    """The band's radius in pixels; the object's size is the geometric mean of its box's sides."""
    box = bounding_box(mask)
    size = 0.0 if box is None else math.sqrt(box.area)
    return max(SMALLEST, round(PART * size))


def band_around(
    mask: BoolMask,
    radius: int,
    probability: FloatMap | None = None,
    *,
    core_depth: float = CORE_DEPTH,
) -> BoolMask:
    """The pixels near a mask's border, but for the core of thin parts, such as a tripod's legs.

    The image's own border is not the mask's.

    Args:
        mask: H×W bool.
        radius: Pixels.
        probability: H×W float32 in [0, 1], where a network gave one: where it is unsure the band is
            wider.
        core_depth: Smallest depth of a core, pixels.

    Returns:
        H×W bool.
    """
    depth, distance = _depth(mask), _depth(~mask)
    away = np.maximum(depth, distance)
    band: BoolMask = away <= radius
    if probability is not None:
        unsure = (probability > UNSURE) & (probability < 1 - UNSURE)
        band |= unsure & (away <= FARTHEST * radius)
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    core = (depth > CORE * cv2.dilate(depth, disk)) & (depth >= core_depth)
    return band & ~core


def _depth(mask: BoolMask) -> FloatMap:
    """How far each pixel of a mask is from what is not the mask; 0 there. H×W float32."""
    padded = np.pad(mask, 1, mode="edge").view(np.uint8)
    depth: FloatMap = cv2.distanceTransform(padded, cv2.DIST_L2, 5)[1:-1, 1:-1].astype(np.float32)
    return depth
