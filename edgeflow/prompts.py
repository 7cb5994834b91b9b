"""Clicks, the digest of an ordered click sequence, and the disk maps a network sees."""

from __future__ import annotations

import hashlib
import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edgeflow.errors import PromptError
from edgeflow.geometry import ImagePoint, NetworkPoint, Size

DISK_RADIUS = 5.0
"""Network pixels (RITM's disks, arXiv:2102.06583, after Benenson et al., arXiv:1903.10830)."""


@dataclass(frozen=True, slots=True)
class Click:
    """A positive click (on the object) or a negative one (on what is not the object)."""

    point: ImagePoint
    positive: bool = True


def check_clicks(clicks: Sequence[Click], size: Size) -> None:
    """Refuse clicks that are not on the picture.

    Raises:
        PromptError: naming the first click that is not finite or lies outside ``size``.
    """
    for number, click in enumerate(clicks, start=1):
        x, y = click.point
        if not (math.isfinite(x) and math.isfinite(y)):
            raise PromptError(
                f"click {number} has no finite coordinates ({x}, {y})",
                hint="send x and y as plain numbers",
            )
        if not (-0.5 <= x <= size.width - 0.5 and -0.5 <= y <= size.height - 0.5):
            raise PromptError(
                f"click {number} at x={x:g}, y={y:g} lies outside the picture "
                f"({size.width}×{size.height})",
                hint="click inside the picture; x runs to the right, y down, from the top left",
            )


def prefix_digests(seed: str, clicks: Sequence[Click]) -> list[bytes]:
    """Digest every prefix of a click sequence.

    Args:
        seed: what else a prediction depends on (weights, policy, image digest).
        clicks: in the order in which they were made.

    Returns:
        ``len(clicks) + 1`` digests of 32 bytes; entry k stands for (seed, clicks[:k]).
    """
    digests = [hashlib.sha256(seed.encode()).digest()]
    for click in clicks:
        packed = struct.pack("<dd?", click.point.x, click.point.y, click.positive)
        digests.append(hashlib.sha256(digests[-1] + packed).digest())
    return digests


def disk_maps(
    points: Sequence[tuple[NetworkPoint, bool]], size: Size, radius: float = DISK_RADIUS
) -> npt.NDArray[np.float32]:
    """Draw clicks as disks.

    Args:
        points: (network point, positive?) pairs; a centre may be fractional or outside.
        size: of the network's input.
        radius: in network pixels.

    Returns:
        2×H×W float32: positive disks, negative disks; 1 where (row-r)² + (col-c)² ≤ radius².
    """
    maps = np.zeros((2, size.height, size.width), dtype=np.float32)
    maps.reshape(-1)[disk_pixels(points, size, radius)] = 1.0
    return maps


def disk_pixels(
    points: Sequence[tuple[NetworkPoint, bool]], size: Size, radius: float = DISK_RADIUS
) -> npt.NDArray[np.int64]:
    """Where :func:`disk_maps` is 1: int64 positions in the flattened maps, some of them twice.

    A few bytes a click, so that a device can draw the disks itself.
    """
    pixels = [np.empty(0, dtype=np.int64)]
    for point, positive in points:
        top, bottom = _window(point.row, radius, size.height)
        left, right = _window(point.col, radius, size.width)
        rows = np.arange(top, bottom)[:, None]
        cols = np.arange(left, right)[None, :]
        inside = (rows - point.row) ** 2 + (cols - point.col) ** 2 <= radius * radius
        plane = 0 if positive else size.height
        pixels.append(((plane + rows) * size.width + cols)[inside])
    return np.concatenate(pixels)


def _window(centre: float, radius: float, side: int) -> tuple[int, int]:
    start = min(max(math.floor(centre - radius), 0), side)
    stop = min(max(math.ceil(centre + radius) + 1, start), side)
    return start, stop
