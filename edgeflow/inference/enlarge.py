"""Where an enlarged map exceeds a threshold, without making the enlarged map.

At 80 megapixels that map takes 320 MB and half a second, though most of it is background.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from edgeflow.arrays import BoolMask, FloatMap
from edgeflow.geometry import Box, Size
from edgeflow.masks.patch import bounding_box

MARGIN = 1e-3
"""Between values that are further from the threshold, nothing crosses it, however it is rounded."""

STRIP = 1 << 17
"""Pixels of a strip of columns that is enlarged in width, but not yet in height."""

TILE = 1 << 16
"""Pixels that are enlarged at once; they stay in the processor's cache."""


def exceeding(values: FloatMap, size: Size, threshold: float) -> tuple[BoolMask, Box]:
    """Where a map exceeds a threshold once it is enlarged linearly, pixel centres in place.

    Sums are rounded as OpenCV's ``resize`` does on x86, so that masks are the same.

    Args:
        values: h×w float32.
        size: Size to enlarge it to.
        threshold: Exclusive lower bound.

    Returns:
        The content of a box, and that box; outside it the map does not exceed the threshold.
    """
    near = bounding_box(values > threshold - MARGIN)
    if near is None:
        return np.zeros((0, 0), dtype=np.bool_), Box(0, 0, 0, 0)
    height, width = values.shape
    top, bottom = _reach(near.top, near.bottom, size.height / height, size.height)
    left, right = _reach(near.left, near.right, size.width / width, size.width)
    solid = np.empty((bottom - top, right - left), dtype=np.bool_)
    across = max(STRIP // height, 1)
    down = max(TILE // across, 1)
    for col in range(left, right, across):
        cols = range(col, min(col + across, right))
        strip = np.ascontiguousarray(_between(values.T, cols, size.width).T)
        for row in range(top, bottom, down):
            rows = range(row, min(row + down, bottom))
            tile = _exceeding(strip, rows, size.height, threshold)
            solid[row - top : rows.stop - top, col - left : cols.stop - left] = tile
    return solid, Box(top, left, bottom, right)


def _reach(start: int, stop: int, scale: float, side: int) -> tuple[int, int]:
    """The enlarged rows that some of a range of rows have a share in, and perhaps a few more."""
    return (
        max(math.floor((start - 0.5) * scale) - 1, 0),
        min(math.ceil((stop + 0.5) * scale) + 1, side),
    )


def _exceeding(
    values: npt.NDArray[np.float32], rows: range, side: int, threshold: float
) -> BoolMask | bool:
    """Where some rows exceed the threshold, of a map that is enlarged to ``side`` rows."""
    scale = len(values) / side
    first = max(math.floor((rows.start + 0.5) * scale - 0.5), 0)
    sources = values[first : math.ceil((rows.stop - 0.5) * scale + 0.5) + 1]
    if sources.max() < threshold - MARGIN:
        return False
    if sources.min() > threshold + MARGIN:
        return True
    exceeding: BoolMask = _between(values, rows, side) > threshold
    return exceeding


def _between(values: npt.NDArray[np.float32], rows: range, side: int) -> npt.NDArray[np.float32]:
    """Some rows of a map that is enlarged to ``side`` rows."""
    places = (np.arange(rows.start, rows.stop) + 0.5) * (len(values) / side) - 0.5
    lower = np.floor(places).astype(np.intp)
    shares = (places - lower).astype(np.float32).astype(np.float64)[:, None]
    last = len(values) - 1
    before, after = values[np.clip(lower, 0, last)], values[np.clip(lower + 1, 0, last)]
    between: npt.NDArray[np.float32] = (before + shares * (after - before)).astype(np.float32)
    return between
