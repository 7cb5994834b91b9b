"""How sure a network is of an image that nobody has clicked on.

A score alone tells little: a network may be sure of a whole car where the project labels doors. So
an answer counts where it is as large as what was accepted in the project.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from edgeflow.geometry import ImagePoint, Size

SIDE = 4
"""Clicks across and down."""

USUAL = (0.1, 0.9)
"""Quantiles of the accepted objects' sizes between which a size is usual."""

LEAST = 10
"""Accepted objects that say which sizes are."""


class Answer(NamedTuple):
    """What one click gives.

    Attributes:
        share: Of the image that the mask covers, 0 to 1.
        score: Estimate of the mask's IoU with an object, 0 to 1.
    """

    share: float
    score: float


class Sizes(NamedTuple):
    """The usual sizes of a project's objects, as shares of their images.

    Attributes:
        least: From here on.
        most: To here.
    """

    least: float
    most: float

    @classmethod
    def of(cls, shares: Sequence[float]) -> Sizes | None:
        """What is usual among accepted objects; None where there are too few.

        Args:
            shares: Of its image that each covers, 0 to 1.
        """
        if len(shares) < LEAST:
            return None
        least, most = np.quantile(shares, USUAL)
        return cls(float(least), float(most))


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


def certainty(click: Callable[[ImagePoint], Answer], size: Size, sizes: Sizes | None) -> float:
    """How sure a network is of an image.

    Args:
        click: What one click gives.
        size: The image's.
        sizes: The usual sizes; None where they are not known, and every answer counts.

    Returns:
        0 to 1: the mean score over a grid of clicks, with 0 for answers of unusual sizes.
        ``docs/experiments.md`` has what it is worth.
    """
    answers = [click(point) for point in grid(size)]
    counted = [
        answer.score
        for answer in answers
        if sizes is None or sizes.least <= answer.share <= sizes.most
    ]
    return sum(counted) / len(answers)
