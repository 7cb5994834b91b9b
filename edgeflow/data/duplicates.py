"""Near-duplicates between datasets: images to evaluate on must not be trained on.

An image is a near-duplicate of another if their thumbnails correlate, as they are or mirrored.
Finds copies, other sizes, other compression and slight crops; not other views of one scene.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from edgeflow.arrays import FloatMap, RGBImage
from edgeflow.data.base import Dataset

Thumbnails = npt.NDArray[np.float32]
"""N×24×24."""

SIDE = 24
THRESHOLD = 0.95
FLAT = 1e-3
"""An image whose thumbnail varies less than this (of 1) is flat, and resembles no other."""


class NearDuplicate(NamedTuple):
    """An image, the one it resembles, and how much: -1 to 1."""

    name: str
    other: str
    correlation: float


def thumbnail(rgb: RGBImage) -> FloatMap:
    """An image's fingerprint: 24×24 grey, without mean, of length 1; zeros for a flat image.

    Args:
        rgb: H×W×3 uint8.
    """
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    centred = small - small.mean()
    length = float(np.linalg.norm(centred))
    if length < FLAT * SIDE:
        return np.zeros_like(centred)
    scaled: FloatMap = centred / np.float32(length)
    return scaled


def near_duplicates(
    names: Iterable[str],
    thumbnails: Thumbnails,
    other_names: Iterable[str],
    other_thumbnails: Thumbnails,
    threshold: float = THRESHOLD,
) -> Iterator[NearDuplicate]:
    """The images that resemble one of the others, each with the one it resembles most.

    Args:
        names: Names of N images.
        thumbnails: Their thumbnails; see :func:`thumbnail`.
        other_names: Names of M images.
        other_thumbnails: Their thumbnails.
        threshold: Least correlation.
    """
    others = list(other_names)
    flat = other_thumbnails.reshape(len(others), -1)
    mirrored = np.ascontiguousarray(other_thumbnails[:, :, ::-1]).reshape(len(others), -1)
    for name, each in zip(names, thumbnails, strict=True):
        likeness = np.maximum(flat @ each.ravel(), mirrored @ each.ravel())
        best = int(likeness.argmax())
        if likeness[best] >= threshold:
            yield NearDuplicate(name, others[best], float(likeness[best]))


def thumbnails_of(
    dataset: Dataset, progress: Callable[[int], None] = lambda _done: None
) -> Thumbnails:
    """All thumbnails of a dataset, N×24×24, in order.

    Raises:
        DatasetError: A sample cannot be read.
    """
    thumbnails = np.zeros((len(dataset), SIDE, SIDE), dtype=np.float32)
    for index in range(len(dataset)):
        thumbnails[index] = thumbnail(dataset[index].rgb)
        progress(index + 1)
    return thumbnails
