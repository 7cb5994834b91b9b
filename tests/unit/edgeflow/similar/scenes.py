"""Features and images that are made, not computed, for the tests of this folder."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edgeflow.arrays import BoolMask
from edgeflow.geometry import Size
from edgeflow.masks.patch import MaskPatch
from edgeflow.similar.features import ImageFeatures

SIZE = Size(160, 240)
CELL = 8
GROUND, RED, BLUE = (np.eye(4, dtype=np.float32)[number] for number in range(3))


def square(row: int, col: int, side: int = 24, size: Size = SIZE) -> BoolMask:
    """A mask with one square whose top left corner is given."""
    mask = np.zeros(tuple(size), dtype=np.bool_)
    mask[row : row + side, col : col + side] = True
    return mask


def scene(
    red: Sequence[tuple[int, int]], blue: Sequence[tuple[int, int]] = (), side: int = 24
) -> ImageFeatures:
    """Features of red and blue squares on a ground, whose corners lie on cells' corners."""
    values = np.broadcast_to(GROUND, (SIZE.height // CELL, SIZE.width // CELL, 4)).copy()
    for corners, colour in ((red, RED), (blue, BLUE)):
        for row, col in corners:
            mask = square(row, col, side)[CELL // 2 :: CELL, CELL // 2 :: CELL]
            values[mask] = colour
    return ImageFeatures(values, SIZE)


def patch(row: int, col: int, side: int = 24) -> MaskPatch:
    """:func:`square` as a patch."""
    return MaskPatch.of(square(row, col, side))
