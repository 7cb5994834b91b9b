"""What of an object lies outside the box that was drawn around it.

People draw boxes a little too tight, and cut off feet and ears. A piece of the mask that leaves the
box is one of those if the network is sure of it and it soon ends; where it runs on, it is another
object or the ground. ``docs/prompts.md`` says how the limits were chosen.
"""

from __future__ import annotations

import cv2
import numpy as np

from edgeflow.arrays import BoolMask, FloatMap
from edgeflow.geometry import Box, Size
from edgeflow.masks.patch import MASK_THRESHOLD, MaskPatch, bounding_box

SURE = 0.75
"""Smallest mean probability of a piece."""

REACH = 0.08
"""How far from the box a piece may reach, in parts of the box's sides."""


def beyond(probability: FloatMap, box: Box, frame: Box, image_size: Size) -> MaskPatch | None:
    """The pieces of a mask outside a box that belong to the object in it.

    Args:
        probability: h×w float32, mask probability on the network's grid.
        box: Drawn around the object.
        frame: Part of the image that the grid covers.
        image_size: Size of the image.

    Returns:
        Where they are, with a rim of one network pixel; None if there are none.
    """
    down = _away(probability.shape[0], frame.top, frame.bottom, box.top, box.bottom)
    across = _away(probability.shape[1], frame.left, frame.right, box.left, box.right)
    away = np.maximum(down[:, None], across[None, :])
    outside = (probability > MASK_THRESHOLD) & (away > 0)
    count, labels = cv2.connectedComponents(outside.view(np.uint8))
    if count == 1:
        return None
    pixels = labels[outside].astype(np.intp)
    means = np.bincount(pixels, probability[outside], count) / np.bincount(
        pixels, minlength=count
    ).clip(1)
    ends = np.zeros(count)
    np.maximum.at(ends, pixels, away[outside])
    stays = (means >= SURE) & (ends <= REACH)
    return _enlarged(stays[labels], frame, image_size)


def _away(cells: int, first: int, last: int, start: int, stop: int) -> FloatMap:
    """How far the middle of each cell of one axis lies from a range, in parts of that range."""
    middles = (np.arange(cells) + 0.5) * (last - first) / cells + first
    outside = np.maximum(np.maximum(start - middles, middles - stop), 0) / (stop - start)
    return outside.astype(np.float32)


def _enlarged(pieces: BoolMask, frame: Box, image_size: Size) -> MaskPatch | None:
    """Pieces on the network's grid at the image's scale; a grid's pixel becomes a block of them."""
    rimmed = cv2.dilate(pieces.astype(np.uint8), np.ones((3, 3), dtype=np.uint8))
    part = bounding_box(rimmed.view(np.bool_))
    if part is None:
        return None
    down, across = (side / cells for side, cells in zip(frame.size, pieces.shape, strict=True))
    place = Box(
        round(part.top * down), round(part.left * across),
        round(part.bottom * down), round(part.right * across),
    ).shifted(frame.top, frame.left)  # fmt: skip
    block = cv2.resize(
        rimmed[part.slices],
        (place.size.width, place.size.height),
        interpolation=cv2.INTER_NEAREST,
    )
    return MaskPatch.within_frame(block.astype(np.bool_), place, image_size, copy=False)
