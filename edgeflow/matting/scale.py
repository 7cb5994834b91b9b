"""Maps at a smaller scale than the image's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from edgeflow.arrays import BoolMask, FloatArray

Indices = npt.NDArray[np.intp]

ROWS = 256
"""Rows that are worked on at once, which saves memory."""


def in_unit_range(levels: npt.NDArray[np.uint8]) -> FloatArray:
    """Levels of any shape as float32 in [0, 1]."""
    scaled: FloatArray = levels.astype(np.float32) * np.float32(1 / 255)
    return scaled


def resized(array: npt.NDArray[Any], scale: float) -> npt.NDArray[Any]:
    """An H×W or H×W×C array at a part of its scale, by area; the very same one at scale 1."""
    if scale == 1:
        return array
    height, width = (max(1, round(side * scale)) for side in array.shape[:2])
    return cv2.resize(array, (width, height), interpolation=cv2.INTER_AREA)


def places_in(mask: BoolMask) -> Iterator[tuple[Indices, Indices]]:
    """Rows and columns of a mask's pixels, some rows at a time: there may be very many."""
    for top in range(0, len(mask), ROWS):
        rows, columns = np.nonzero(mask[top : top + ROWS])
        yield rows + top, columns


def sample(
    array: FloatArray,
    rows: Indices,
    columns: Indices,
    shape: tuple[int, ...],
) -> FloatArray:
    """Values of a small map at pixels of the image, bilinear.

    Args:
        array: h×w or h×w×C float32.
        rows: n rows of the image.
        columns: n columns of the image.
        shape: Height and width of the image.

    Returns:
        n or n×C float32.
    """
    if array.shape[:2] == shape[:2]:
        return array[rows, columns]
    (top, bottom, down), (left, right, across) = (
        _between(places, full, small)
        for places, full, small in zip((rows, columns), shape, array.shape, strict=False)
    )
    if array.ndim == 3:
        down, across = down[:, None], across[:, None]
    upper = array[top, left] + across * (array[top, right] - array[top, left])
    lower = array[bottom, left] + across * (array[bottom, right] - array[bottom, left])
    mixed: FloatArray = upper + down * (lower - upper)
    return mixed


def _between(places: Indices, full: int, small: int) -> tuple[Indices, Indices, FloatArray]:
    """The small pixels before and after each place, and how far it is from the first, 0 to 1."""
    exact = np.clip((places + 0.5) * (small / full) - 0.5, 0, small - 1)
    before = exact.astype(np.intp)
    return before, np.minimum(before + 1, small - 1), (exact - before).astype(np.float32)
