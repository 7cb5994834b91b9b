"""Masks of several objects in one map, by number."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from edgeflow.geometry import Size
from edgeflow.masks.patch import MaskPatch

MOST_IN_A_BYTE = 254
"""Objects in an 8-bit map: readers take 255 there for pixels to ignore."""

NumberMap = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
"""H×W."""


def number_map(masks: Iterable[MaskPatch], size: Size) -> NumberMap:
    """Number masks in their order, from 1; 0 is what none covers.

    Where masks overlap, a pixel has the number of the first.

    Args:
        masks: Of one image; an empty one keeps its number.
        size: The image's.

    Returns:
        H×W, uint8 for up to :data:`MOST_IN_A_BYTE` masks, else uint16.

    Raises:
        ValueError: There are more masks than a uint16 can count.
    """
    numbered = list(masks)
    if len(numbered) > np.iinfo(np.uint16).max:
        raise ValueError(f"{len(numbered)} masks are too many for a map of 16 bits")
    kind = np.uint8 if len(numbered) <= MOST_IN_A_BYTE else np.uint16
    numbers: NumberMap = np.zeros(size, dtype=kind)
    for number, mask in enumerate(numbered, start=1):
        part = numbers[mask.box.slices]
        part[mask.pixels & (part == 0)] = number
    return numbers
