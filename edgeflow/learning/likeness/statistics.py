"""What summaries of images of many kinds are like, so that one kind can be told from the others.

They come with the weights: a file beside them that the manifest pins as it does the weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from edgeflow.arrays import FloatArray
from edgeflow.checkpoints.checkpoint import Checkpoint
from edgeflow.errors import CheckpointError, EdgeFlowError, brief

LEAST = 2
"""Images that likeness takes."""

REMEDY = "make the statistics again (docs/training.md), or take `statistics` out of the manifest"

MANY = 100
"""Images from which on statistics say well how far channels vary."""


class LikenessError(EdgeFlowError):
    """A likeness that cannot be made or read."""

    code = "likeness"


@dataclass(frozen=True)
class ImageStatistics:
    """How the summaries of images of many kinds vary.

    Attributes:
        mean: C float32.
        scale: C float32, one over the standard deviations; 0 for a channel that never varies,
            which tells nothing.
        images: How many images these are of.
    """

    mean: FloatArray
    scale: FloatArray
    images: int

    @classmethod
    def of(cls, summaries: Sequence[FloatArray]) -> ImageStatistics:
        """Statistics of summaries, C float32 each.

        Raises:
            LikenessError: There are fewer than two.
        """
        if len(summaries) < LEAST:
            raise LikenessError(
                f"{len(summaries)} images are too few to tell how images differ",
                hint="take images of many kinds",
            )
        values = np.stack(summaries)
        return cls(values.mean(axis=0), inverse_spread(values), len(values))

    def to_bytes(self) -> bytes:
        """As a safetensors file."""
        images = np.array([self.images], dtype=np.int64)
        return save({"mean": self.mean, "scale": self.scale, "images": images})

    @classmethod
    def from_bytes(cls, data: bytes) -> ImageStatistics:
        """Read what :meth:`to_bytes` wrote.

        Raises:
            LikenessError: It is something else, or damaged.
        """
        try:
            tensors = load(data)
            mean, scale = tensors["mean"], tensors["scale"]
            (images,) = tensors["images"].tolist()
        except (SafetensorError, KeyError, ValueError, TypeError) as error:
            raise LikenessError(f"these are no statistics of images: {brief(error)}") from error
        if mean.dtype != np.float32 or scale.dtype != np.float32 or not isinstance(images, int):
            raise LikenessError("statistics of images have numbers of another kind")
        if mean.ndim != 1 or scale.shape != mean.shape or images < LEAST:
            raise LikenessError("parts of the statistics of images do not fit together")
        if not np.isfinite([mean, scale]).all() or not bool((scale >= 0).all()):
            raise LikenessError("statistics of images hold what is no spread")
        return cls(mean, scale, images)


def inverse_spread(values: FloatArray) -> FloatArray:
    """One over each channel's standard deviation; 0 for one that never varies.

    Args:
        values: N×C.

    Returns:
        C.
    """
    spread = values.std(axis=0)
    varies = spread > np.abs(values.mean(axis=0)) * np.finfo(np.float32).eps
    found: FloatArray = np.divide(1, spread, out=np.zeros_like(spread), where=varies)
    return found


def shipped_statistics(base: Checkpoint) -> ImageStatistics | None:
    """The statistics that come with weights; None if none do.

    Raises:
        CheckpointError: Their file is missing or damaged.
    """
    data = base.statistics()
    if data is None:
        return None
    try:
        return ImageStatistics.from_bytes(data)
    except LikenessError as error:
        raise CheckpointError(
            f"what comes with {base.name} cannot be used: {error.message}", hint=REMEDY
        ) from error
