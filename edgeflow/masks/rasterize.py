"""Polygons to masks.

Points are (x, y) in the frame of ``edgeflow.geometry.ImagePoint``: pixel (0, 0) has its centre at
(0, 0).
"""

from __future__ import annotations

import numpy as np

from edgeflow.arrays import BoolMask, Polygon
from edgeflow.errors import PolygonError
from edgeflow.geometry import Size

MAX_POINTS = 100_000
MAX_CROSSINGS = 2_000_000
_COORDINATE_LIMIT = 1e6


def rasterize(polygon: Polygon, size: Size) -> BoolMask:
    """Fill a polygon by the even-odd rule: true where a pixel's centre lies inside.

    Of centres on an edge, those with the inside to their right, or below a level edge, count; so
    polygons that share an edge share no pixel. Self-crossing and degenerate polygons are filled by
    the same rule; fewer than three points enclose nothing. Unlike ``cv2.fillPoly``, which also
    paints every pixel that an edge passes.

    Args:
        polygon: N×2 float64 (x, y), closed or not, may leave the image.
        size: Image size.

    Returns:
        H×W bool.

    Raises:
        PolygonError: Not N×2 finite numbers within a million pixels, more than ``MAX_POINTS``
            points, or edges that cross more than ``MAX_CROSSINGS`` pixel rows in total.
    """
    corners = np.asarray(polygon, dtype=np.float64)
    if corners.ndim != 2 or corners.shape[1] != 2:
        raise PolygonError(f"a polygon is N×2 numbers, not an array of shape {corners.shape}")
    if len(corners) > MAX_POINTS:
        raise PolygonError(f"the polygon has {len(corners)} points, more than {MAX_POINTS}")
    if not (np.abs(corners) <= _COORDINATE_LIMIT).all():
        raise PolygonError("the polygon has points that are not numbers, or are far off the image")
    mask = np.zeros(size, dtype=np.bool_)
    if len(corners) < 3:
        return mask
    tail, head = corners, np.roll(corners, -1, axis=0)
    swap = tail[:, 1] > head[:, 1]
    upper, lower = np.where(swap[:, None], head, tail), np.where(swap[:, None], tail, head)
    first, stop = (
        np.clip(np.ceil(end[:, 1]), 0, size.height).astype(np.int64) for end in (upper, lower)
    )
    count = stop - first
    total = int(count.sum())
    if total > MAX_CROSSINGS:
        raise PolygonError(f"the polygon crosses {total} pixel rows, more than {MAX_CROSSINGS}")
    if not total:
        return mask
    edge = np.repeat(np.arange(len(count)), count)
    row = np.arange(total) - np.repeat(np.cumsum(count) - count, count) + first[edge]
    start, way = upper[edge], (lower - upper)[edge]
    crossing = start[:, 0] + (row - start[:, 1]) / way[:, 1] * way[:, 0]
    column = np.clip(np.ceil(crossing), 0, size.width).astype(np.int64)
    top, bottom = int(row.min()), int(row.max()) + 1
    left, right = int(column.min()), int(column.max())
    # Column W stands for "right of the image"; sums that wrap around keep their parity.
    flips = np.zeros((bottom - top, right - left + 1), dtype=np.uint8)
    np.add.at(flips, (row - top, column - left), 1)
    filled = np.bitwise_xor.accumulate(flips & 1, axis=1)[:, :-1]
    mask[top:bottom, left:right] = filled.view(np.bool_)
    return mask
