"""The curve of clicks per accepted object, in the coordinates of an SVG image."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from edgeflow.label_studio.values import JSONObject


class Plot(NamedTuple):
    """A curve.

    Attributes:
        width: Of the image.
        height: Of the image.
        line: The curve's corners, as SVG's ``points``; empty for a single point.
        dots: x and y of each point.
        top: The greatest value on the vertical axis, which begins with 0.
    """

    width: int
    height: int
    line: str
    dots: tuple[tuple[float, float], ...]
    top: int


def plot(points: Sequence[JSONObject], width: int, height: int, margin: int = 0) -> Plot:
    """Where a curve's points lie.

    Args:
        points: Each with ``objects`` and ``mean``, in the order of time, at least one.
        width: Of the image.
        height: Of the image.
        margin: Free space on every side.
    """
    top = max(math.ceil(max(point["mean"] for point in points)), 1)
    most = points[-1]["objects"]
    across, down = width - 2 * margin, height - 2 * margin
    dots = tuple(
        (
            round(margin + across * point["objects"] / most, 1),
            round(margin + down * (1 - point["mean"] / top), 1),
        )
        for point in points
    )
    line = " ".join(f"{x},{y}" for x, y in dots) if len(dots) > 1 else ""
    return Plot(width, height, line, dots, top)
