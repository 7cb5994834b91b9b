"""Flawed masks made of right ones, as the start masks of DAVIS585 were.

Chen et al., "FocalClick", CVPR 2022 (arXiv:2204.02574), and the published code that made the set
(``superpixel_augmentation.py`` in alibaba/ClickSEG): superpixels are added to the object or taken
from it, most of them at its border, some inside it, a few anywhere outside, until the IoU is
between .75 and .85.
"""

from __future__ import annotations

import math
from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

from edgeflow.arrays import BoolMask, RGBImage
from edgeflow.evaluate.starts.superpixels import superpixels

IOU = (0.76, 0.84)
"""Range of the IoU that is aimed at; the result is within half a pixel of it."""

PLACES = {"border": 0.65, "inside": 0.25, "outside": 0.10}
"""How likely a flaw begins where; as published."""

COUNTS = (50, 100, 200, 300, 500, 700)
"""How many superpixels the image is divided into, drawn anew for each flaw; as published."""

BORDER_WIDTH = 0.006
"""Width of the border to either side, over the image's diagonal: 6 pixels in DAVIS's 854×480."""


def flawed(rgb: RGBImage, truth: BoolMask, valid: BoolMask, rng: np.random.Generator) -> BoolMask:
    """A mask of an object with flaws such as people meet in other models' masks.

    Flaws are wholly missing or wholly too much: of a superpixel that lies across the border, only
    the side of the pixel that was drawn changes. Of the last one only as much changes, around that
    pixel, as leaves the IoU that was drawn. (The published code throws the mask away and begins
    anew if it falls below .75.)

    Args:
        rgb: H×W×3 uint8.
        truth: H×W mask of the object, with at least one pixel, all of them valid.
        valid: H×W, false where the annotation does not say; nothing changes there.
        rng: Used up; the same one gives the same mask.

    Returns:
        H×W mask, never empty. Its IoU with the object is between .75 and .85 if the object has at
        least 50 pixels; of smaller ones as near as whole pixels allow.
    """
    wanted = float(rng.uniform(*IOU))
    parts_of = cache(lambda count: superpixels(rgb, count))
    places = _places(truth, valid)
    area = np.count_nonzero(truth)
    mask: BoolMask = truth.copy()
    while True:
        row, col = _draw(places, truth, right=(mask == truth) & valid, rng=rng)
        parts = parts_of(int(rng.choice(COUNTS)))
        here = (parts == parts[row, col]) & (truth == truth[row, col]) & (mask == truth) & valid
        flaw = _nearest_first(here, row, col)
        kept, excess = np.count_nonzero(mask & truth), np.count_nonzero(mask & ~truth)
        # IoU = kept / (area + excess), solved for the pixels that go, or come.
        lacking = (
            kept - wanted * (area + excess) if truth[row, col] else kept / wanted - area - excess
        )
        needed = max(0, round(lacking))
        mask.ravel()[flaw[:needed]] = not truth[row, col]
        if needed <= flaw.size:
            return mask


def _places(truth: BoolMask, valid: BoolMask) -> dict[str, BoolMask]:
    width = max(1, round(BORDER_WIDTH * math.hypot(*truth.shape)))
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * width + 1,) * 2)
    solid = truth.view(np.uint8)
    within, reached = cv2.erode(solid, disk) > 0, cv2.dilate(solid, disk) > 0
    return {
        "border": reached & ~within & valid,
        "inside": within & valid,
        "outside": ~reached & valid,
    }


def _draw(
    places: dict[str, BoolMask], truth: BoolMask, right: BoolMask, rng: np.random.Generator
) -> tuple[int, int]:
    """A pixel that has no flaw yet; anywhere in the object where a place has none left."""
    place = rng.choice(list(PLACES), p=list(PLACES.values()))
    candidates = np.flatnonzero(places[place] & right)
    if not candidates.size:
        candidates = np.flatnonzero(truth & right)
    row, col = np.unravel_index(int(rng.choice(candidates)), truth.shape)
    return int(row), int(col)


def _nearest_first(mask: BoolMask, row: int, col: int) -> npt.NDArray[np.int64]:
    """The flat indices of a mask's pixels, those near to a place first."""
    rows, cols = np.nonzero(mask)
    order = np.argsort((rows - row) ** 2 + (cols - col) ** 2, kind="stable")
    indices: npt.NDArray[np.int64] = np.ravel_multi_index((rows[order], cols[order]), mask.shape)
    return indices
