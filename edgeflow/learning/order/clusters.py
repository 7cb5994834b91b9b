"""Images parted by kind: k-means over their summaries, the same at every call."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from edgeflow.arrays import FloatArray
from edgeflow.learning.likeness.statistics import inverse_spread

MOST = 8
"""Kinds at most; each is looked at in turn, so many more would leave little to the order within."""

ROUNDS = 50

Numbers = npt.NDArray[np.int64]


def clusters(summaries: Sequence[FloatArray]) -> list[int]:
    """The kind of each image.

    As many kinds as the root of half the images, at most :data:`MOST`. Clustering begins with the
    image nearest to the mean, and then with whichever is farthest from those chosen so far
    (Gonzalez, 1985), so nothing is drawn by chance. What the images have in common is taken away
    before, and every channel counts alike.

    Args:
        summaries: C float32 of each image, see :mod:`edgeflow.learning.likeness.summary`.

    Returns:
        A number for each, from 0 for the kind with most images.
    """
    if not summaries:
        return []
    points = _standard(np.stack(summaries).astype(np.float64))
    count = min(MOST, math.ceil(math.sqrt(len(points) / 2)))
    centres = _first_centres(points, count)
    kinds = _nearest(points, centres)
    for _ in range(ROUNDS):
        for kind in range(len(centres)):
            if (kinds == kind).any():
                centres[kind] = points[kinds == kind].mean(axis=0)
        before, kinds = kinds, _nearest(points, centres)
        if (kinds == before).all():
            break
    sizes = np.bincount(kinds, minlength=len(centres))
    ranks = np.argsort(np.argsort(-sizes, kind="stable"), kind="stable")
    return [int(ranks[kind]) for kind in kinds]


def _standard(points: FloatArray) -> FloatArray:
    """N×C, each channel with mean 0 and deviation 1; one that never varies is 0."""
    found: FloatArray = (points - points.mean(axis=0)) * inverse_spread(points)
    return found


def _first_centres(points: FloatArray, count: int) -> FloatArray:
    chosen = [int((points**2).sum(axis=1).argmin())]
    distances = _distances(points, points[chosen[0]])
    while len(chosen) < count and distances.max() > 0:
        chosen.append(int(distances.argmax()))
        distances = np.minimum(distances, _distances(points, points[chosen[-1]]))
    found: FloatArray = points[chosen].copy()
    return found


def _distances(points: FloatArray, centre: FloatArray) -> FloatArray:
    found: FloatArray = ((points - centre) ** 2).sum(axis=1)
    return found


def _nearest(points: FloatArray, centres: FloatArray) -> Numbers:
    found: Numbers = np.stack([_distances(points, centre) for centre in centres]).argmin(axis=0)
    return found
