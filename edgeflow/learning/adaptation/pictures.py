"""Accepted objects as training images: every object whole, and small ones as large as they are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor

from edgeflow.arrays import BoolMask
from edgeflow.data.base import Sample
from edgeflow.geometry import Box, ImagePoint, Size
from edgeflow.inference.zoom import ZoomPolicy
from edgeflow.learning.adaptation.options import SIDE, Regions
from edgeflow.train.image_store import ImageStore, build_store

LEAST = 30
"""Pixels that an object must cover in a picture whose longer side has :data:`SIDE` pixels."""

LARGE = 1.5
"""Longer side from which on objects are also cut out of a picture, over :data:`SIDE`."""

SHARED = 0.05
"""Part of a smaller object that a larger one of the same label map may lose to it."""

WINDOWS = 150
"""Most windows that are cut out, which bounds the memory."""


class Pictures(NamedTuple):
    """What is learnt from.

    Attributes:
        store: The pictures, and windows of large ones.
        regions: How close inference looks at them.
    """

    store: ImageStore
    regions: Regions


def read_pictures(samples: Iterable[Sample]) -> Pictures:
    """Decode what is learnt from.

    Args:
        samples: Read one after the other.

    Raises:
        TrainingError: No object is large enough.
    """
    sides: list[int] = []

    def seen() -> Iterator[Sample]:
        for each in _views(samples):
            sides.append(max(each.rgb.shape[:2]))
            yield each

    store = build_store(seen(), SIDE, LEAST / SIDE**2)
    return Pictures(store, _regions(int(np.median(sides))))


def even_weights(store: ImageStore) -> Tensor:
    """The likelihood of each object to be drawn: O float64, summing to 1.

    Objects count alike, whatever their size, as the clicks that they take do.

    Args:
        store: From :func:`read_pictures`.
    """
    count = len(store.objects)
    return torch.full((count,), 1 / count, dtype=torch.float64)


def _regions(side: int) -> Regions:
    """How close inference looks at a picture with this longer side, pixels."""
    policy = ZoomPolicy()
    least = min(1.0, policy.min_side / side)
    if policy.closer is None or not policy.looks_closer(Size(side, side)):
        return Regions(least, least, 0.0)
    return Regions(least, policy.closer.least / side, policy.closer.large)


def _views(samples: Iterable[Sample]) -> Iterator[Sample]:
    windows = 0
    for sample in samples:
        for number, layer in enumerate(_layers(sample.objects)):
            each = replace(sample, name=f"{sample.name}#{number}", objects=layer, labels=())
            yield each
            for window in _windows(each):
                if windows < WINDOWS:
                    windows += 1
                    yield window


def _layers(objects: Iterable[BoolMask]) -> list[tuple[BoolMask, ...]]:
    """Part objects so that none covers much of another in its group."""
    layers: list[list[BoolMask]] = []
    unions: list[BoolMask] = []
    for mask in sorted(objects, key=np.count_nonzero):
        area = int(np.count_nonzero(mask))
        for number, union in enumerate(unions):
            if np.count_nonzero(union & mask) <= SHARED * area:
                layers[number].append(mask)
                unions[number] = union | mask
                break
        else:
            layers.append([mask])
            unions.append(mask)
    return [tuple(layer) for layer in layers]


def _windows(sample: Sample) -> Iterator[Sample]:
    """Windows of a large picture around objects of which the whole one would show few pixels."""
    height, width = sample.rgb.shape[:2]
    if max(height, width) <= LARGE * SIDE:
        return
    shown = [False] * len(sample.objects)
    for number, mask in enumerate(sample.objects):
        left, top, wide, high = cv2.boundingRect(mask.view(np.uint8))
        if shown[number] or 2 * max(wide, high) > max(height, width) / LARGE:
            continue
        centre = ImagePoint(left + wide / 2, top + high / 2)
        window = Box.around(centre, max(SIDE, 2 * max(wide, high)), Size(height, width))
        rows, cols = slice(window.top, window.bottom), slice(window.left, window.right)
        inside = []
        for other, each in enumerate(sample.objects):
            cut = each[rows, cols]
            if not cut.any():
                continue
            if np.count_nonzero(cut) == np.count_nonzero(each):
                shown[other] = True
            inside.append(np.ascontiguousarray(cut))
        yield replace(
            sample,
            name=f"{sample.name} {number}",
            rgb=np.ascontiguousarray(sample.rgb[rows, cols]),
            objects=tuple(inside),
            ignore=None if sample.ignore is None else sample.ignore[rows, cols],
            labels=(),
        )
