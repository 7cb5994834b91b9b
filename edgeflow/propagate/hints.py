"""What the network is told of a page before it looks: clicks that a carried mask implies."""

from __future__ import annotations

import cv2
import numpy as np

from edgeflow.arrays import BoolMask
from edgeflow.geometry import NetworkPoint
from edgeflow.masks.patch import bounding_box

POSITIVES = 3
"""Most positive clicks."""

LEAST_DEPTH = 1 / 3
"""Depth of a further positive click, over that of the deepest."""

LEAST_AWAY = 0.12
"""Least distance of a negative click, over the object's longer side."""

Hint = tuple[NetworkPoint, bool]
"""Where, and whether it is on the object."""


def hints(mask: BoolMask) -> list[Hint]:
    """Clicks for an h×w mask of network pixels, not empty: some deep in it, some far outside."""
    return [(point, True) for point in inside(mask)] + [(point, False) for point in around(mask)]


def inside(mask: BoolMask) -> list[NetworkPoint]:
    """Points deep in an h×w mask, the deepest first, far from each other; none for an empty one."""
    box = bounding_box(mask)
    if box is None:
        return []
    part = mask[box.slices].astype(np.uint8)
    depth = cv2.distanceTransform(np.pad(part, 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    deepest = float(depth.max())
    points = []
    for _ in range(POSITIVES):
        row, col = (int(each) for each in np.unravel_index(int(depth.argmax()), depth.shape))
        here = float(depth[row, col])
        if here < max(1.0, deepest * LEAST_DEPTH):
            break
        points.append(NetworkPoint(float(box.top + row), float(box.left + col)))
        cv2.circle(depth, (col, row), round(max(2 * here, max(box.size) / 4)), 0, -1)
    return points


def around(mask: BoolMask) -> list[NetworkPoint]:
    """A point on each side of an h×w mask: half way out, where a neighbour would be.

    Nearer ones would fall on the object where it has moved more than was seen.
    """
    box = bounding_box(mask)
    if box is None:
        return []
    away = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 5)
    least = LEAST_AWAY * max(box.size)
    height, width = mask.shape
    points = []
    for top, bottom, left, right in (
        (0, box.top, 0, width),
        (box.bottom, height, 0, width),
        (0, height, 0, box.left),
        (0, height, box.right, width),
    ):
        side = away[top:bottom, left:right]
        if not side.size or side.max() < least:
            continue
        wrong = np.abs(side - max(least, float(side.max()) / 2))
        row, col = np.unravel_index(int(wrong.argmin()), wrong.shape)
        points.append(NetworkPoint(float(top + row), float(left + col)))
    return points
