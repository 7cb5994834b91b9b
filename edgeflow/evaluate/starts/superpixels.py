"""Superpixels: small connected parts of an image along its edges."""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

from edgeflow.arrays import RGBImage

SMOOTHING = 1.5
"""Standard deviation in pixels: without it, noise decides where parts meet."""


def superpixels(rgb: RGBImage, count: int) -> npt.NDArray[np.int32]:
    """Divide an image by a watershed from a regular grid of seeds.

    (Machairas et al., "Waterpixels", IEEE Transactions on Image Processing 2015, without the
    spatial regularisation.)

    Args:
        rgb: H×W×3 uint8.
        count: About how many parts; there are as many as seeds fit, at least one.

    Returns:
        H×W: the number of each pixel's part.
    """
    height, width, _ = rgb.shape
    step = max(1.0, math.sqrt(height * width / count))
    rows, cols = (_seeds(side, step) for side in (height, width))
    # A frame of one pixel is added and cut off again: OpenCV gives it to no part.
    markers = np.zeros((height + 2, width + 2), dtype=np.int32)
    markers[np.ix_(rows + 1, cols + 1)] = np.arange(1, rows.size * cols.size + 1).reshape(
        rows.size, cols.size
    )
    smooth = cv2.GaussianBlur(rgb, (0, 0), SMOOTHING)
    cv2.watershed(cv2.copyMakeBorder(smooth, 1, 1, 1, 1, cv2.BORDER_REPLICATE), markers)
    parts = markers[1:-1, 1:-1]
    # Pixels where parts meet are -1; they go to a neighbour.
    around = cv2.dilate(parts.astype(np.float32), np.ones((3, 3), np.uint8)).astype(np.int32)
    filled: npt.NDArray[np.int32] = np.where(parts < 0, around, parts)
    return filled


def _seeds(side: int, step: float) -> npt.NDArray[np.int64]:
    count = max(1, round(side / step))
    return ((np.arange(count) + 0.5) * side / count).astype(np.int64)
