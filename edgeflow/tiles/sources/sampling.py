"""Which part of a large picture tells its range of values."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from edgeflow.geometry import Box, Size

PIXELS = 1 << 21
"""How many are looked at, about."""

_SIDE = 256


def sampled_zoom(size: Size, overviews: Sequence[int]) -> Size | None:
    """The size at which the whole picture is looked at; None if it cannot be had cheaply.

    Args:
        size: The picture's.
        overviews: By how much the smaller copies in its file are smaller.
    """
    for factor in (1, *sorted(overviews)):
        zoom = Size(math.ceil(size.height / factor), math.ceil(size.width / factor))
        if zoom.height * zoom.width <= PIXELS:
            return zoom
    return None


def sampled_windows(size: Size, block: Size) -> Iterator[Box]:
    """Windows that are spread evenly over a picture, row by row.

    Args:
        size: The picture's.
        block: What its file stores together.
    """
    # Where rows are stored whole, some of them cost as much as parts of them.
    height, width = (1, size.width) if block.width >= size.width else (_SIDE, _SIDE)
    height, width = min(height, size.height), min(width, size.width)
    count = max(PIXELS // (height * width), 1)
    across = 1 if width == size.width else max(round(math.sqrt(count)), 1)
    for top in _spread(size.height, height, block.height, count // across):
        for left in _spread(size.width, width, block.width, across):
            yield Box(top, left, top + height, left + width)


def _spread(length: int, part: int, block: int, count: int) -> list[int]:
    last = length - part
    places = (last * number // max(count - 1, 1) for number in range(max(count, 1)))
    # Aligned, a window lies in one block where blocks are large enough.
    return sorted({place - place % block if block >= part else place for place in places})
