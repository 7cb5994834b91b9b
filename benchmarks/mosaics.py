"""Scenes to click on, from large images made of small ones: objects that cover next to nothing.

Nothing is drawn by chance: names decide the order, so a mosaic is the same on every machine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import cv2
import numpy as np

from edgeflow.arrays import BoolMask, RGBImage
from edgeflow.data.base import Dataset, Sample, set_of
from edgeflow.geometry import Box, Size
from edgeflow.masks.patch import MaskPatch
from edgeflow.train.image_store import is_held_out

AERIAL, CELLS = ("isaid_tiles",), ("dsb2018_nuclei",)
HELD_OUT, MORE_HELD_OUT = 0.03, 0.1
LARGE_SIDE = 4000
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


def tiles(sets: Sequence[str]) -> Callable[[Dataset, int], Iterator[Scene]]:
    """Images as they are."""

    def scenes(dataset: Dataset, half: int) -> Iterator[Scene]:
        for number in in_chance_order(dataset, sets, half):
            yield _scene(dataset[number])

    return scenes


def side_by_side(sets: Sequence[str]) -> Callable[[Dataset, int], Iterator[Scene]]:
    """A mosaic of images."""

    def scenes(dataset: Dataset, half: int) -> Iterator[Scene]:
        numbers = in_chance_order(dataset, sets, half)
        return mosaics([dataset[number] for number in numbers[:160]], 2)

    return scenes


def ordinary(dataset: Dataset, half: int) -> Iterator[Scene]:  # noqa: ARG001 - all of them
    """Held-out images as they are, but for aerial ones and cells."""
    for sample in _ordinary(dataset, HELD_OUT):
        yield _scene(sample)


def ordinary_mosaics(dataset: Dataset, half: int) -> Iterator[Scene]:
    """Held-out ordinary images side by side."""
    return mosaics(list(_ordinary(dataset, MORE_HELD_OUT))[80 * half : 80 * half + 80], 1)


def large(dataset: Dataset, half: int) -> Iterator[Scene]:
    """Held-out ordinary images enlarged to twelve million pixels."""
    for number, sample in enumerate(_ordinary(dataset, HELD_OUT)):
        if number % 2 == half:
            few = replace(sample, objects=sample.objects[:1], labels=(), ignore=None)
            yield _scene(enlarged(few, LARGE_SIDE))


KINDS: dict[str, Callable[[Dataset, int], Iterator[Scene]]] = {
    "aerial": tiles(AERIAL),
    "cells": tiles(CELLS),
    "aerial mosaics": side_by_side(AERIAL),
    "cell mosaics": side_by_side(CELLS),
    "ordinary": ordinary,
    "ordinary mosaics": ordinary_mosaics,
    "large": large,
}
FEW = {"aerial": 3, "cells": 3, "ordinary": 1, "large": 1}
"""Objects clicked of one image, where that is not as many as are wanted."""


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


def _scene(sample: Sample) -> Scene:
    masks = tuple(
        MaskPatch.of(mask)
        for mask in sample.objects
        if sample.ignore is None or (mask & ~sample.ignore).any()
    )
    return Scene(sample.name, sample.rgb, masks, sample.ignore)


def _ordinary(dataset: Dataset, share: float) -> Iterator[Sample]:
    sets = {set_of(name) for name in dataset.sample_names} - {*AERIAL, *CELLS}
    for number in in_chance_order(dataset, sets, None):
        if is_held_out(dataset.sample_names[number], share):
            yield dataset[number]
