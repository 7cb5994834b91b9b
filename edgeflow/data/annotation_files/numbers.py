"""Numbers in files of unknown origin."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from edgeflow.errors import MaskCodecError
from edgeflow.geometry import Size
from edgeflow.label_studio.values import whole_number

Points = npt.NDArray[np.float64]
"""N×2 (x, y)."""

REACH = 1e6
"""Coordinates further from the image's corner than this, in pixels, are refused."""


def size_of(height: object, width: object) -> Size | None:
    """The size that two numbers give; None if they give none."""
    rows, columns = whole_number(height), whole_number(width)
    return Size(rows, columns) if rows and columns and min(rows, columns) > 0 else None


def point_list(value: object, limit: int) -> Points:
    """A parsed list of pairs as an array.

    Args:
        value: Parsed JSON, untrusted: ``[[x, y], …]``.
        limit: Most points.

    Raises:
        MaskCodecError: It is something else, too long, or has points far from any image.
    """
    if not isinstance(value, list):
        raise MaskCodecError("its points are not a list")
    if len(value) > limit:
        raise MaskCodecError(f"it has {len(value)} points, more than {limit}")
    if any(not isinstance(each, list) or len(each) != 2 for each in value):
        raise MaskCodecError("its points are not pairs of numbers")
    flat = [coordinate for each in value for coordinate in each]
    if any(type(coordinate) not in {int, float} for coordinate in flat):
        raise MaskCodecError("its points are not pairs of numbers")
    return checked_points(flat)


def checked_points(flat: list[float]) -> Points:
    """Numbers x, y, x, y, … as N×2 points.

    Raises:
        MaskCodecError: One is not finite, or further than ``REACH`` from the image's corner.
    """
    if any(not abs(each) <= REACH for each in flat):
        raise MaskCodecError("it has points that are not numbers, or are far off the image")
    return np.array(flat, dtype=np.float64).reshape(-1, 2)
