"""Objects as they were drawn and as a reader found them, and how they are compared."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

from edgeflow.arrays import BoolMask

UNLABELLED = "unlabelled"
"""What formats call the class of objects without one."""


class Found(NamedTuple):
    """An object as a reader found it.

    Attributes:
        picture: Name of its picture, as the format tells it.
        label: Its class.
        mask: H×W bool.
    """

    picture: str
    label: str
    mask: BoolMask


Keeps = Literal["objects", "visible", "classes", "unions", "boxes", "nothing"]
"""What a format keeps of a picture's objects: each; what is on top of each; the same by class; all
of a class; the box of each; or nothing but the picture, on which they are to be seen."""


class Wanted(NamedTuple):
    """An object that a format should hold; attributes as of :class:`Found`."""

    label: str | None
    mask: BoolMask


def kept(drawn: list[Wanted], keeps: Keeps) -> list[Wanted]:
    """What a format keeps of a picture's objects, which are in the order of drawing."""
    if keeps == "objects":
        return drawn
    if keeps == "boxes":
        return [Wanted(each.label, _box_mask(each.mask)) for each in drawn]
    if keeps == "nothing":
        return [Wanted(None, np.ones_like(drawn[0].mask))]
    if keeps == "unions":
        return _by_class(drawn)
    visible: list[Wanted] = []
    above = np.zeros_like(drawn[0].mask)
    for each in reversed(drawn):
        visible.insert(0, Wanted(each.label, each.mask & ~above))
        above |= each.mask
    return visible if keeps == "visible" else _by_class(visible)


def _by_class(objects: list[Wanted]) -> list[Wanted]:
    masks: dict[str | None, BoolMask] = {}
    for label, mask in objects:
        masks[label] = masks.get(label, mask) | mask
    return [Wanted(*each) for each in masks.items()]


def _box_mask(mask: BoolMask) -> BoolMask:
    left, top, width, height = box_of(mask)
    box = np.zeros_like(mask)
    box[top : top + height, left : left + width] = True
    return box


def worst_iou(wanted: list[Wanted], found: list[Found]) -> float:
    """The least IoU of objects of one picture, each with the best of its own class and size."""
    assert len(found) == len(wanted)
    left, worst = list(found), 1.0
    for each in wanted:
        same = [
            other
            for other in left
            if other.label == (each.label or UNLABELLED) and other.mask.shape == each.mask.shape
        ]
        assert same, f"nothing of class {each.label!r} among {[other.label for other in left]}"
        overlaps = [_iou(each.mask, other.mask) for other in same]
        best = int(np.argmax(overlaps))
        left = [other for other in left if other is not same[best]]
        worst = min(worst, overlaps[best])
    return worst


def _iou(one: BoolMask, other: BoolMask) -> float:
    return float((one & other).sum() / (one | other).sum())


def box_of(mask: BoolMask) -> list[int]:
    """Left, top, width and height."""
    rows, cols = np.nonzero(mask)
    return [int(cols.min()), int(rows.min()), int(np.ptp(cols)) + 1, int(np.ptp(rows)) + 1]
