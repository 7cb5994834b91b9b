"""Clicks as the disks that a network sees."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from edgeflow.geometry import NetworkPoint, Size

DISK_RADIUS = 5.0
"""Network pixels (RITM's disks, arXiv:2102.06583, after Benenson et al., arXiv:1903.10830)."""


def disk_pixels(
    points: Sequence[tuple[NetworkPoint, bool]], size: Size, radius: float = DISK_RADIUS
) -> npt.NDArray[np.int64]:
    """Pixels of the disks: a few bytes a click, so that a device can draw the maps itself.

    Args:
        points: (network point, positive?) pairs; a centre may be fractional or outside.
        size: Network input size.
        radius: Network pixels.

    Returns:
        int64 positions in the flattened 2×H×W maps (positive disks, negative disks) where
        (row - r)² + (col - c)² ≤ radius²; some of them twice.
    """
    pixels = [np.empty(0, dtype=np.int64)]
    for point, positive in points:
        top, bottom = _window(point.row, radius, size.height)
        left, right = _window(point.col, radius, size.width)
        rows = np.arange(top, bottom)[:, None]
        cols = np.arange(left, right)[None, :]
        inside = (rows - point.row) ** 2 + (cols - point.col) ** 2 <= radius * radius
        plane = 0 if positive else size.height
        pixels.append(((plane + rows) * size.width + cols)[inside])
    return np.concatenate(pixels)


def _window(centre: float, radius: float, side: int) -> tuple[int, int]:
    start = min(max(math.floor(centre - radius), 0), side)
    stop = min(max(math.ceil(centre + radius) + 1, start), side)
    return start, stop
