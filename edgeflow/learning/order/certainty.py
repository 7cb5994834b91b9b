"""How sure a network is of an image that nobody has clicked on."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from edgeflow.geometry import ImagePoint, Size

SIDE = 4
"""Clicks across and down."""


def grid(size: Size, side: int = SIDE) -> list[ImagePoint]:
    """Places of an even grid, the middles of its cells.

    Args:
        size: The image's.
        side: Cells across and down.
    """
    return [
        ImagePoint((column + 0.5) * size.width / side, (row + 0.5) * size.height / side)
        for row in range(side)
        for column in range(side)
    ]


def certainty(scores: Sequence[float]) -> float:
    """How sure a network is of an image.

    Args:
        scores: Estimates of the IoU of what one click at each of some places gives, 0 to 1; at
            least one.

    Returns:
        0 to 1: the mean. ``docs/experiments.md`` has what it is worth.
    """
    return sum(scores) / len(scores)


def look(click: Callable[[ImagePoint], float], size: Size) -> float:
    """How sure a network is of an image.

    Args:
        click: The score that one click gives, 0 to 1.
        size: The image's.
    """
    return certainty([click(point) for point in grid(size)])
