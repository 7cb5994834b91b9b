"""Masks on the cells of an image's features."""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np

from edgeflow.arrays import FloatArray, FloatMap
from edgeflow.geometry import Box
from edgeflow.masks.patch import MaskPatch
from edgeflow.similar.features import ImageFeatures

RING = 0.4
"""Width of the ring around an object, as a part of its diameter."""


class Coverage(NamedTuple):
    """How much of each cell something covers; nothing outside ``cells``.

    Attributes:
        weights: h×w float32, 0 to 1.
        cells: The part of the features that they stand for.
    """

    weights: FloatMap
    cells: Box

    def mean(self, features: ImageFeatures) -> FloatArray:
        """Weighted mean feature: C float32, zeros where nothing is covered."""
        total = float(self.weights.sum())
        values = features.values[self.cells.slices]
        summed = np.tensordot(self.weights, values, axes=((0, 1), (0, 1)))
        return (summed / (total or 1.0)).astype(np.float32)


def object_and_ring(features: ImageFeatures, mask: MaskPatch) -> tuple[Coverage, Coverage]:
    """The cells of an object that is not empty, and of the ring around it."""
    down, across = features.scale
    reach = RING * math.sqrt(np.count_nonzero(mask.pixels))
    rows, cols = (max(1, round(reach * scale)) for scale in (down, across))
    box = mask.box
    first_row, row_shares = _shares(box.top, box.bottom, down, features.size.height, rows)
    first_col, col_shares = _shares(box.left, box.right, across, features.size.width, cols)
    covered = row_shares @ mask.pixels.astype(np.float32) @ col_shares.T
    cells = Box(first_row, first_col, first_row + len(row_shares), first_col + len(col_shares))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * cols + 1, 2 * rows + 1))
    touched = (covered > 0).astype(np.float32)
    ring = cv2.dilate(touched, kernel) - touched
    return Coverage(covered, cells), Coverage(ring.astype(np.float32), cells)


def _shares(start: int, stop: int, scale: float, cells: int, margin: int) -> tuple[int, FloatMap]:
    """Which part of each cell along one axis each pixel of ``start`` to ``stop`` takes.

    Returns:
        The first cell, and cells × pixels float32, with ``margin`` cells on both sides.
    """
    first = max(math.floor(start * scale) - margin, 0)
    last = min(math.ceil(stop * scale) + margin, cells)
    edges = np.arange(first, last, dtype=np.float32)[:, None]
    begin = np.arange(start, stop, dtype=np.float32)[None] * np.float32(scale)
    overlap = np.minimum(edges + 1, begin + np.float32(scale)) - np.maximum(edges, begin)
    return first, np.maximum(overlap, 0).astype(np.float32)
