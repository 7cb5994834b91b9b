"""Which part of a large picture tells its range of values."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from edgeflow.geometry import Box, Size

PIXELS = 1 << 21
"""How many are looked at, about."""

_SIDE = 128
_GOLDEN = (math.sqrt(5) - 1) / 2


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
    """Windows that are spread evenly over a picture, one in each of its parts.

    Args:
        size: The picture's.
        block: What its file stores together.
    """
    # Where rows are stored whole, some of them cost as much as parts of them.
    height, width = (1, size.width) if block.width >= size.width else (_SIDE, _SIDE)
    height, width = min(height, size.height), min(width, size.width)
    count = max(PIXELS // (height * width), 1)
    across = 1 if width == size.width else max(round(math.sqrt(count)), 1)
    down = max(count // across, 1)
    for row in range(down):
        for column in range(across):
            # Staggered, for windows below each other would see the same columns alone.
            top = _placed(row + _stagger(column), down, size.height, height, block.height)
            left = _placed(column + _stagger(row), across, size.width, width, block.width)
            yield Box(top, left, top + height, left + width)


def _stagger(number: int) -> float:
    """Numbers from 0 to 1 that fill that range evenly, one after another."""
    return ((number + 0.5) * _GOLDEN) % 1


def _placed(place: float, count: int, length: int, part: int, block: int) -> int:
    start = int(place / count * (length - part))
    if block >= part:  # in one block
        start -= max(start % block + part - block, 0)
    return start
