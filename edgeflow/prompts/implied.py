"""Clicks that an outline or a mask implies."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np

from edgeflow.arrays import BoolMask
from edgeflow.geometry import ImagePoint, Size
from edgeflow.masks.patch import bounding_box
from edgeflow.prompts.click import Click

CLEARANCE = 0.05
"""Distance of an implied positive click from negative ones, in parts of the longer side."""


def contradicts(click: Click, point: ImagePoint, extent: Size) -> bool:
    """Whether a click is negative and so near to an implied positive one that it must be wrong.

    Args:
        click: The annotator's.
        point: Place of the implied click.
        extent: Size of the object's bounding box.
    """
    away = math.hypot(click.point.x - point.x, click.point.y - point.y)
    return not click.positive and away <= CLEARANCE * max(extent) + 3


def implied_clicks(mask: BoolMask, clicks: Sequence[Click], extent: Size) -> tuple[Click, ...]:
    """A positive click deep in a mask, clear of negative ones; none if there is no such place.

    Args:
        mask: H×W.
        clicks: The annotator's.
        extent: Size of the mask's bounding box.
    """
    free = mask.astype(np.uint8)
    reach = math.ceil(CLEARANCE * max(extent)) + 3
    for click in clicks:
        if not click.positive:
            cv2.circle(free, (round(click.point.x), round(click.point.y)), reach, 0, -1)
    return (Click(deepest_point(free > 0)),) if free.any() else ()


def deepest_point(mask: BoolMask) -> ImagePoint:
    """The pixel of an H×W mask that is farthest from everything outside it.

    Raises:
        ValueError: The mask is empty.
    """
    box = bounding_box(mask)
    if box is None:
        raise ValueError("an empty mask has no deepest point")
    part = mask[box.slices].astype(np.uint8)
    depth = cv2.distanceTransform(np.pad(part, 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    row, col = np.unravel_index(int(depth.argmax()), depth.shape)
    return ImagePoint(float(box.left + col), float(box.top + row))
