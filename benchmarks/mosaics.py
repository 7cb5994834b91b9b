"""Large images made of small annotated ones: objects that cover next to nothing of twelve million.

Nothing is drawn by chance: names decide the order, so a mosaic is the same on every machine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

import cv2
import numpy as np

from edgeflow.arrays import BoolMask, RGBImage
from edgeflow.data.base import Dataset, Sample, set_of
from edgeflow.geometry import Box, Size
from edgeflow.masks.patch import MaskPatch

MOSAIC = Size(3000, 4000)
ROWS, COLUMNS = 8, 10
WHOLE = 0.98
"""Least part of an object that its cell shows; others are left out."""


class Scene(NamedTuple):
    """An image and the objects to click on it.

    Attributes:
        name: Unique within its kind.
        rgb: H×W×3 uint8.
        objects: One or more.
        ignore: H×W, true where no error counts; None for nowhere.
    """

    name: str
    rgb: RGBImage
    objects: tuple[MaskPatch, ...]
    ignore: BoolMask | None = None


def in_chance_order(dataset: Dataset, sets: Collection[str], half: int | None) -> list[int]:
    """Samples of some sets, in an order that their names decide.

    Args:
        dataset: Holds the sets.
        sets: Names of sets.
        half: 0 or 1 for one half of the samples; None for all.
    """
    names = dataset.sample_names
    digests = {
        number: hashlib.sha256(name.encode()).digest()
        for number, name in enumerate(names)
        if set_of(name) in sets
    }
    chosen = [n for n, digest in digests.items() if half is None or digest[-1] % 2 == half]
    return sorted(chosen, key=digests.__getitem__)


def mosaics(samples: Sequence[Sample], most: int) -> Iterator[Scene]:
    """Large images, each of eighty samples side by side; fewer are repeated.

    Args:
        samples: At least one; each fills a cell, cropped about its middle, enlarged if it is small.
        most: Mosaics at most.
    """
    count = ROWS * COLUMNS
    for number, start in enumerate(range(0, len(samples), count)[:most], start=1):
        several = samples[start : start + count]
        yield mosaic(f"mosaic {number}", [several[k % len(several)] for k in range(count)])


def mosaic(name: str, samples: Sequence[Sample]) -> Scene:
    """One large image of eighty samples."""
    cell = Size(MOSAIC.height // ROWS, MOSAIC.width // COLUMNS)
    rgb = np.zeros((*MOSAIC, 3), dtype=np.uint8)
    objects: list[MaskPatch] = []
    for number, sample in enumerate(samples):
        row, column = divmod(number, COLUMNS)
        corner = row * cell.height, column * cell.width
        place = Box(0, 0, *cell).shifted(*corner)
        rgb[place.slices], masks = _cropped(sample, cell)
        for mask in masks:
            patch = MaskPatch.of(mask)
            objects.append(MaskPatch(patch.pixels.copy(), patch.box.shifted(*corner), MOSAIC))
    return Scene(name, rgb, tuple(objects))


def enlarged(sample: Sample, side: int) -> Sample:
    """A sample whose longer side is brought to ``side`` pixels: a large object in a large image."""
    height, width = sample.rgb.shape[:2]
    scale = side / max(height, width)
    return _resized(sample, Size(round(height * scale), round(width * scale)))


def _cropped(sample: Sample, cell: Size) -> tuple[RGBImage, list[BoolMask]]:
    """The middle of a sample, and the objects that lie within it."""
    size = Size(*sample.rgb.shape[:2])
    scale = max(cell.height / size.height, cell.width / size.width)
    if scale > 1:
        larger = [max(c, round(s * scale)) for c, s in zip(cell, size, strict=True)]
        sample = _resized(sample, Size(*larger))
        size = Size(*sample.rgb.shape[:2])
    top, left = (size.height - cell.height) // 2, (size.width - cell.width) // 2
    part = Box(0, 0, *cell).shifted(top, left).slices
    inside = [mask[part] for mask in sample.objects if mask[part].sum() > WHOLE * mask.sum()]
    return sample.rgb[part], inside


def _resized(sample: Sample, size: Size) -> Sample:
    shape = size.width, size.height
    rgb = cv2.resize(sample.rgb, shape, interpolation=cv2.INTER_CUBIC)
    masks = [
        cv2.resize(mask.view(np.uint8), shape, interpolation=cv2.INTER_NEAREST) > 0
        for mask in sample.objects
    ]
    return Sample(sample.name, rgb.astype(np.uint8, copy=False), tuple(masks))
