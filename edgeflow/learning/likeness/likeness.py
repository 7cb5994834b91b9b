"""Whether an image is like those that a version has learnt from.

What a project teaches holds for its own kind of images: a network that has learnt the parts of cars
takes parts of all other things, too. So a version answers images like those that it has learnt
from, and the base weights answer the others; ``docs/experiments.md`` has the figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from edgeflow.arrays import FloatArray
from edgeflow.errors import CheckpointError, brief
from edgeflow.learning.likeness.statistics import (
    LEAST,
    MANY,
    REMEDY,
    ImageStatistics,
    LikenessError,
)

REACH, REACH_BY_FEW = (0.9, 1.0), (0.9,)
"""Shares of the images learnt from whose distances to the others the reach is the mean of: where
statistics of many images tell kinds apart, and where those of a few do."""

ROUNDING = 1e-3
"""Cosine distance that two computations of one summary may lie apart."""


@dataclass(frozen=True)
class Likeness:
    """The images that a version has learnt from.

    Attributes:
        mean: C float32, of the summaries of images of many kinds.
        scale: C float32, one over their standard deviations; 0 for a channel that never varies,
            which tells nothing.
        known: N×C float32, summaries of the images learnt from, standardised, of unit length.
        reach: Greatest cosine distance to the nearest of these at which an image is like them.
    """

    mean: FloatArray
    scale: FloatArray
    known: FloatArray
    reach: float

    @classmethod
    def of(cls, learnt: Sequence[FloatArray], statistics: ImageStatistics) -> Likeness:
        """What is known of the images that a version has learnt from.

        The reach is such that most of them would be found to be like the others.

        Args:
            learnt: Their summaries, C float32 each.
            statistics: Of images of many kinds.

        Raises:
            LikenessError: There are fewer than two.
            CheckpointError: The statistics are of another network's summaries.
        """
        if len(learnt) < LEAST:
            raise LikenessError(
                f"{len(learnt)} images are too few to tell what is like them",
                hint="label more images",
            )
        if learnt[0].shape != statistics.mean.shape:
            raise CheckpointError(
                f"statistics of images have {len(statistics.mean)} channels, the network that sums "
                f"images up has {len(learnt[0])}",
                hint=REMEDY,
            )
        known = _directions(np.stack(learnt), statistics.mean, statistics.scale)
        distances = 1 - known @ known.T
        np.fill_diagonal(distances, np.inf)
        shares = REACH if statistics.images >= MANY else REACH_BY_FEW
        reach = float(np.quantile(distances.min(axis=1), shares, method="higher").mean())
        return cls(statistics.mean, statistics.scale, known, reach)

    def accepts(self, summary: FloatArray) -> bool:
        """Whether an image is like those learnt from.

        Args:
            summary: The image's, C float32.
        """
        if summary.shape != self.mean.shape:
            return False
        return self.distance(summary) <= self.reach + ROUNDING

    def distance(self, summary: FloatArray) -> float:
        """Cosine distance of an image to the nearest that was learnt from, 0 to 2."""
        direction = _directions(summary[None], self.mean, self.scale)[0]
        return float(1 - (self.known @ direction).max())

    def to_bytes(self) -> bytes:
        """As a safetensors file."""
        tensors = {"mean": self.mean, "scale": self.scale, "known": self.known}
        return save({**tensors, "reach": np.array([self.reach], dtype=np.float32)})

    @classmethod
    def from_bytes(cls, data: bytes) -> Likeness:
        """Read what :meth:`to_bytes` wrote.

        Raises:
            LikenessError: It is something else, or damaged.
        """
        try:
            tensors = load(data)
            mean, scale, known = (tensors[name] for name in ("mean", "scale", "known"))
            (reach,) = tensors["reach"].tolist()
        except (SafetensorError, KeyError, ValueError, TypeError) as error:
            raise _damaged(brief(error)) from error
        parts = (mean, scale, known, np.asarray(reach))
        if not all(each.dtype.kind == "f" and np.isfinite(each).all() for each in parts):
            raise _damaged("it holds what is no finite number")
        if mean.ndim != 1 or scale.shape != mean.shape or known.shape != (len(known), len(mean)):
            raise _damaged("its parts do not fit together")
        if not len(known) or not bool((scale >= 0).all()):
            raise _damaged("it knows no image")
        return cls(mean, scale, known, float(reach))


def _directions(summaries: FloatArray, mean: FloatArray, scale: FloatArray) -> FloatArray:
    """N×C summaries, standardised and of unit length."""
    standard = ((summaries - mean) * scale).astype(np.float32)
    length = np.linalg.norm(standard, axis=1, keepdims=True)
    found: FloatArray = standard / np.maximum(length, np.finfo(np.float32).tiny)
    return found


def _damaged(reason: str) -> LikenessError:
    return LikenessError(
        f"what a version has learnt from cannot be read ({reason})", hint="train again"
    )
