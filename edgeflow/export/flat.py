"""Objects that overlap, in formats in which a pixel belongs to one object."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from edgeflow.annotated import AnnotatedObject, mask_of
from edgeflow.data.base import DatasetError
from edgeflow.data.left_out import LeftOut
from edgeflow.export.format import Overlap
from edgeflow.geometry import Size
from edgeflow.masks.patch import MaskPatch

HIDDEN = "objects wholly under others, for which the format has no place"
BOXES = "boxes, for which the format has no place"

ObjectMap = npt.NDArray[np.int32]
"""H×W; 0 where no object is, k where the k-th is."""


class Flat(NamedTuple):
    """An image in which each pixel belongs to one object at most.

    Attributes:
        numbers: H×W int32: 0 the background, k for ``objects[k - 1]``.
        objects: Those with a pixel, in the order in which they were drawn.
        left_out: The others.
    """

    numbers: ObjectMap
    objects: tuple[AnnotatedObject, ...]
    left_out: tuple[LeftOut, ...]


def flatten(objects: Sequence[AnnotatedObject], size: Size, overlap: Overlap) -> Flat:
    """Decide for each pixel which object it belongs to.

    Args:
        objects: In the order in which they were drawn; boxes are left out.
        size: Of the image.
        overlap: The rule where several cover a pixel.

    Raises:
        DatasetError: Objects overlap and the rule is ``error``.
    """
    masks = [(number, mask_of(each.shape)) for number, each in enumerate(objects, start=1)]
    drawn = [(number, mask) for number, mask in masks if mask is not None]
    if overlap == "smallest":
        drawn.sort(key=lambda each: -np.count_nonzero(each[1].pixels))  # the smallest is on top
    numbers = np.zeros(size, dtype=np.int32)
    for number, mask in drawn:
        part = numbers[mask.box.slices]
        if overlap == "error":
            _check_free(part, mask, objects, number)
        part[mask.pixels] = number
    present = np.flatnonzero(np.bincount(numbers.ravel(), minlength=len(objects) + 1)[1:])
    renumbered = np.zeros(len(objects) + 1, dtype=np.int32)
    renumbered[present + 1] = np.arange(1, len(present) + 1)
    left_out = [LeftOut(BOXES)] * (len(objects) - len(drawn))
    left_out += [LeftOut(HIDDEN)] * (len(drawn) - len(present))
    kept = tuple(objects[index] for index in present.tolist())
    return Flat(renumbered[numbers], kept, tuple(left_out))


def _check_free(
    part: ObjectMap, mask: MaskPatch, objects: Sequence[AnnotatedObject], number: int
) -> None:
    taken = part[mask.pixels]
    below = taken[taken > 0]
    if below.size:
        one, other = (_called(objects, each) for each in (int(below[0]), number))
        raise DatasetError(
            f"{one} and {other} overlap in {below.size} pixels",
            hint="choose --overlap top or smallest, or correct the annotation",
        )


def _called(objects: Sequence[AnnotatedObject], number: int) -> str:
    label = objects[number - 1].label
    return f"object {number}" + (f" ({label})" if label else "")
