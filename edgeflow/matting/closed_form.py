"""Closed-form matting on the band around a mask's border.

Levin, Lischinski and Weiss, "A closed-form solution to natural image matting", PAMI 2008: in every
3×3 window the true alpha is nearly a linear function of the colours, which makes alpha the minimum
of a quadratic form. Here the pixels off the band are known, those on it are drawn towards the mask
by a weight, and conjugate gradients start from a guess that is near already.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product as pairs

import cv2
import numpy as np
import numpy.typing as npt

from edgeflow.arrays import BoolMask, FloatArray, FloatMap

WINDOW = tuple(pairs((-1, 0, 1), repeat=2))
"""(row, col) offsets of a window's pixels from its middle."""

REACH = tuple(pairs((-2, -1, 0, 1, 2), repeat=2))
"""Offsets at which two pixels can share a window."""

TOLERANCE = 1e-4
"""Residual at which the iteration ends, as a part of the first one."""

Indices = npt.NDArray[np.int32]


def solve(
    image: FloatArray,
    guess: FloatMap,
    band: BoolMask,
    *,
    trust: float,
    smoothness: float,
    steps: int,
) -> FloatMap:
    """Find alpha on a band.

    Args:
        image: H×W×3 float32 in [0, 1].
        guess: H×W float32 in [0, 1]: alpha off the band, and about what it is on it.
        band: H×W bool, the pixels to find.
        trust: How strongly they are held at the guess, against the colours; above 0.
        smoothness: Variance of a colour below which a window counts as flat.
        steps: Most iterations.

    Returns:
        H×W float32 in [0, 1], a new array; off the band that of ``guess``.
    """
    if not band.any() or min(band.shape) < 3:
        return np.array(guess)
    rows = np.flatnonzero(np.pad(band, 2)).astype(np.int32)
    columns = band.shape[1] + 4
    matrix = _laplacian(np.pad(image, ((2, 2), (2, 2), (0, 0))), np.pad(band, 2), smoothness)
    offsets = np.array([down * columns + right for down, right in REACH], np.int32)
    neighbours = rows + offsets[:, None]
    start = guess[band]
    around = np.pad(guess, 2).ravel()
    around[rows] = 0
    right_side = np.float32(trust) * start - _apply(matrix, around, neighbours)
    places = np.full(around.size, rows.size, np.int32)
    places[rows] = np.arange(rows.size, dtype=np.int32)
    neighbours = places[neighbours]

    def apply(x: FloatArray) -> FloatArray:
        product: FloatArray = _apply(matrix, np.append(x, np.float32(0)), neighbours)
        product += np.float32(trust) * x
        return product

    diagonal = matrix[REACH.index((0, 0))] + np.float32(trust)
    alpha: FloatMap = guess.copy()
    alpha[band] = np.clip(_conjugate_gradients(apply, right_side, start, diagonal, steps), 0, 1)
    return alpha


def _apply(matrix: FloatArray, x: FloatArray, neighbours: Indices) -> FloatArray:
    total: FloatArray = np.zeros(matrix.shape[1], np.float32)
    for entries, places in zip(matrix, neighbours, strict=True):
        total += entries * x[places]
    return total


def _laplacian(image: FloatArray, band: BoolMask, smoothness: float) -> FloatArray:
    """Rows of the matting Laplacian: 25×n float32, for each pixel of the band each of REACH.

    Args:
        image: H×W×3 with two pixels more on each side, which no window holds.
        band: H×W bool, likewise.
        smoothness: See :func:`solve`.
    """
    columns = image.shape[1]
    inside = np.zeros(band.shape, np.bool_)
    inside[3:-3, 3:-3] = True
    middles = np.flatnonzero(cv2.dilate(band.view(np.uint8), np.ones((3, 3))).astype(bool) & inside)
    offsets = [down * columns + right for down, right in WINDOW]
    colours = np.stack([image.reshape(-1, 3)[middles + offset] for offset in offsets])
    colours -= colours.mean(axis=0)
    spread = np.einsum("kni,knj->nij", colours, colours) / len(WINDOW)
    inverse = np.linalg.inv(spread.astype(np.float64) + np.eye(3) * smoothness / len(WINDOW))
    leaned = np.einsum("nij,knj->kni", inverse.astype(np.float32), colours)
    count = int(np.count_nonzero(band))
    row_of = np.full(band.size, count)
    row_of[band.ravel()] = np.arange(count)
    matrix = np.zeros((len(REACH), count + 1), np.float32)  # the last column takes what has no row
    for i, (down, right) in enumerate(WINDOW):
        rows = row_of[middles + offsets[i]]
        for j, (other_down, other_right) in enumerate(WINDOW):
            alike = (1 + np.einsum("ni,ni->n", leaned[i], colours[j])) / len(WINDOW)
            matrix[REACH.index((other_down - down, other_right - right)), rows] += (i == j) - alike
    return matrix[:, :count]


def _conjugate_gradients(
    apply: Callable[[FloatArray], FloatArray],
    right_side: FloatArray,
    x: FloatArray,
    diagonal: FloatArray,
    steps: int,
) -> FloatArray:
    """Improve a solution of a positive definite system, preconditioned by its diagonal."""
    residual = right_side - apply(x)
    step = residual / diagonal
    energy = float(residual @ step)
    enough = max(energy * TOLERANCE**2, float(np.finfo(np.float32).tiny))
    for _ in range(steps):
        if energy <= enough:
            break
        change = apply(step)
        length = np.float32(energy / max(float(step @ change), enough))
        x = x + length * step
        residual = residual - length * change
        scaled = residual / diagonal
        energy, before = float(residual @ scaled), energy
        step = scaled + np.float32(energy / before) * step
    return x
