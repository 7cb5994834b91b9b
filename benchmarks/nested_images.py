"""Images in which one click may mean several things: parts of a whole, with masks of both."""

from __future__ import annotations

import hashlib
import itertools
import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from edgeflow.arrays import BoolMask, RGBImage
from edgeflow.data.base import Dataset, Sample, set_of
from edgeflow.geometry import Box, Size
from edgeflow.masks.patch import bounding_box
from edgeflow.prompts.implied import deepest_point

HOSTS = ("ecssd", "human290")
SMALLEST_PART = 0.003
CLOSING = 5
MIN_PASTED = 16
FILLED = 1.7
"""Diagonal of a pasted object over the radius of the largest circle in its host."""


@dataclass(frozen=True)
class Nest:
    """An image with masks inside each other.

    Attributes:
        rgb: H×W×3 uint8.
        levels: H×W, the smallest first.
        ignore: H×W, true where no error counts; None for nowhere.
    """

    rgb: RGBImage
    levels: tuple[BoolMask, ...]
    ignore: BoolMask | None


def labelled(dataset: Dataset, group: str, largest: float) -> Iterator[Nest]:
    """A part in one piece, and the union of all parts of its image.

    Args:
        dataset: Holds the set.
        group: The set; the objects of an image are parts of one thing.
        largest: Most of the whole that a part may cover.
    """
    for sample in in_chance_order(dataset, (group,)):
        if not sample.objects:
            continue
        union = np.any(sample.objects, axis=0)
        kernel = np.ones((CLOSING, CLOSING), dtype=np.uint8)
        whole = cv2.morphologyEx(union.view(np.uint8), cv2.MORPH_CLOSE, kernel) > 0
        parts = [
            part
            for part in sample.objects
            if part.mean() >= SMALLEST_PART
            and part.sum() <= largest * whole.sum()
            and in_one_piece(part)
        ]
        if parts and in_one_piece(whole):
            part = random.Random(sample.name).choice(parts)
            yield Nest(sample.rgb, (part, whole), sample.ignore)


def composed(dataset: Dataset) -> Iterator[Nest]:
    """A cut-out in the middle of an object, and another one in the middle of that."""
    singles = (s for s in in_chance_order(dataset, HOSTS) if len(s.objects) == 1)
    while len(three := tuple(itertools.islice(singles, 3))) == 3:
        rgb, levels = three[0].rgb, three[0].objects
        for sample in three[1:]:
            pasted = paste(rgb, levels[0], sample)
            if pasted is None:
                break
            rgb, levels = pasted[0], (pasted[1], *levels)
        if len(levels) > 1:
            yield Nest(rgb, levels, three[0].ignore)


def in_chance_order(dataset: Dataset, sets: Sequence[str]) -> Iterator[Sample]:
    """Samples of some sets, in an order that their names decide."""
    names = dataset.sample_names
    chosen = [number for number, name in enumerate(names) if set_of(name) in sets]
    chosen.sort(key=lambda number: hashlib.sha256(names[number].encode()).digest())
    return (dataset[number] for number in chosen)


def in_one_piece(mask: BoolMask) -> bool:
    """Whether nearly all of a mask hangs together."""
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask.view(np.uint8))
    return bool(stats[1:, cv2.CC_STAT_AREA].max() >= 0.9 * mask.sum())


def paste(rgb: RGBImage, host: BoolMask, sample: Sample) -> tuple[RGBImage, BoolMask] | None:
    """An object on the deepest part of another one: image and mask; None where it finds no room."""
    box = bounding_box(sample.objects[0])
    if box is None:
        return None
    depth = cv2.distanceTransform(np.pad(host.view(np.uint8), 1), cv2.DIST_L2, 5).max()
    scale = FILLED * float(depth) / math.hypot(*box.size)
    height, width = (round(side * scale) for side in box.size)
    centre = deepest_point(host)
    place = Box(0, 0, height, width).shifted(
        round(centre.y) - height // 2, round(centre.x) - width // 2
    )
    inside = place.intersection(Box.whole(Size(*host.shape))) == place
    if max(height, width) < MIN_PASTED or min(height, width) < 1 or not inside:
        return None
    size = (width, height)
    solid = sample.objects[0][box.slices].astype(np.float32)
    alpha = cv2.resize(solid, size, interpolation=cv2.INTER_AREA)[..., None]
    cut_out = cv2.resize(sample.rgb[box.slices], size, interpolation=cv2.INTER_AREA)
    mixed = rgb.copy()
    mixed[place.slices] = np.round(alpha * cut_out + (1 - alpha) * rgb[place.slices])
    mask = np.zeros_like(host)
    mask[place.slices] = alpha[..., 0] > 0.5
    mask &= host
    return (mixed, mask) if mask.any() else None
