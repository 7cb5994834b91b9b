"""Windows in which a map is a linear function of the colours: the guided filter.

He, Sun and Tang, "Guided image filtering", PAMI 2013.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from edgeflow.arrays import FloatArray, FloatMap

PAIRS = ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))
"""Entries of a symmetric 3×3 matrix, row by row."""


class LinearModel(NamedTuple):
    """For each pixel, how a map follows from the colour there.

    Attributes:
        slopes: H×W×3 float32.
        offsets: H×W float32.
    """

    slopes: FloatArray
    offsets: FloatMap

    def at(self, colours: FloatArray) -> FloatArray:
        """The map's values: …×3 colours in, … out; the shapes are those of the model."""
        return dot(self.slopes, colours) + self.offsets


def fit(image: FloatArray, values: FloatMap, radius: int, smoothness: float) -> LinearModel:
    """Fit a map in every window, and average the windows that a pixel lies in.

    Args:
        image: H×W×3 float32 in [0, 1].
        values: H×W float32 in [0, 1].
        radius: A window has 2·radius + 1 pixels a side.
        smoothness: Variance of a colour below which a window counts as flat.
    """

    def mean(array: FloatArray) -> FloatArray:
        side = 2 * radius + 1
        return cv2.blur(array, (side, side), borderType=cv2.BORDER_REFLECT).astype(np.float32)

    image_mean, value_mean = mean(image), mean(values)
    together = mean(image * values[..., None]) - image_mean * value_mean[..., None]
    spread = [
        mean(image[..., i] * image[..., j])
        - image_mean[..., i] * image_mean[..., j]
        + np.float32(smoothness if i == j else 0)
        for i, j in PAIRS
    ]
    slopes = _solve_symmetric(spread, together)
    offsets = value_mean - dot(slopes, image_mean)
    return LinearModel(mean(slopes), mean(offsets))


def dot(one: FloatArray, other: FloatArray) -> FloatArray:
    """Products of vectors along the last axis."""
    return np.asarray(np.einsum("...c,...c->...", one, other), np.float32)


def _solve_symmetric(matrix: list[FloatMap], right: FloatArray) -> FloatArray:
    """Solve a symmetric 3×3 system at each pixel by its cofactors; entries as in :data:`PAIRS`."""
    a, b, c, d, e, f = matrix
    cofactors = (d * f - e * e, c * e - b * f, b * e - c * d,
                 a * f - c * c, b * c - a * e, a * d - b * b)  # fmt: skip
    determinant = np.maximum(a * cofactors[0] + b * cofactors[1] + c * cofactors[2], 1e-14)
    solved = np.empty_like(right)
    for row, entries in enumerate(((0, 1, 2), (1, 3, 4), (2, 4, 5))):
        solved[..., row] = sum(
            cofactors[entry] * right[..., column] for column, entry in enumerate(entries)
        )
    solved /= determinant[..., None]
    return solved
