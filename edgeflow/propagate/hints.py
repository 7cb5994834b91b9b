"""What the network is told of a page before it looks: clicks that a carried mask implies."""

from __future__ import annotations

import cv2
import numpy as np

from edgeflow.arrays import BoolMask
from edgeflow.geometry import Box, ImagePoint
from edgeflow.masks.patch import bounding_box
from edgeflow.prompts.click import Click

POSITIVES = 3
"""Most positive clicks."""

NEGATIVES = 4
"""Most negative clicks."""


def positive_clicks(mask: BoolMask) -> list[Click]:
    """Clicks deep in an H×W mask, far from each other; none for an empty mask."""
    box = bounding_box(mask)
    if box is None:
        return []
    part = mask[box.slices].astype(np.uint8)
    depth = cv2.distanceTransform(np.pad(part, 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    clicks = []
    deepest = float(depth.max())
    for _ in range(POSITIVES):
        row, col = np.unravel_index(int(depth.argmax()), depth.shape)
        if depth[row, col] < max(1.0, deepest / 3):
            break
        clicks.append(Click(ImagePoint(float(box.left + col), float(box.top + row))))
        reach = max(2 * depth[row, col], max(box.size) / 4)
        cv2.circle(depth, (int(col), int(row)), round(float(reach)), 0, -1)
    return clicks


def negative_clicks(mask: BoolMask, frame: Box) -> list[Click]:
    """Clicks in a frame far outside an H×W mask, in the middle of each side's free space."""
    part = mask[frame.slices].astype(np.uint8)
    away = cv2.distanceTransform(1 - part, cv2.DIST_L2, 5)
    box = bounding_box(part.astype(np.bool_))
    if box is None:
        return []
    clicks = []
    least = 0.12 * max(box.size)
    for rows, cols in (
        (slice(0, box.top), slice(None)),
        (slice(box.bottom, None), slice(None)),
        (slice(None), slice(0, box.left)),
        (slice(None), slice(box.right, None)),
    ):
        side = away[rows, cols]
        if not side.size or side.max() < least:
            continue
        # Not the far corner: half way out, beside the object, where a neighbour would be.
        target = np.abs(side - max(least, float(side.max()) / 2))
        row, col = np.unravel_index(int(target.argmin()), target.shape)
        row, col = row + (rows.start or 0), col + (cols.start or 0)
        clicks.append(
            Click(ImagePoint(float(frame.left + col), float(frame.top + row)), positive=False)
        )
    return clicks[:NEGATIVES]
