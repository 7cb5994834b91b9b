"""A canvas for drawings, and the shapes that are drawn on it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from numpy.random import Generator

from edgeflow.arrays import BoolMask, ByteMap

Floats = npt.NDArray[np.float64]
Point = tuple[float, float]
"""Row and column, pixels."""

KINDS = ("disk", "ellipse", "rectangle", "upright rectangle", "polygon", "star", "ring")


@dataclass
class Canvas:
    """A drawing in the making.

    Attributes:
        rgb: H×W×3 float64 RGB, 0 to 255.
        labels: H×W uint8: 0 ground, or the number of an object.
    """

    rgb: Floats
    labels: ByteMap

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return self.labels.shape[0], self.labels.shape[1]

    @property
    def small(self) -> int:
        """The shorter side."""
        return min(self.size)

    def slope(self, down: float, right: float) -> Floats:
        """H×W, rising linearly from minus to plus the sum of both across the canvas."""
        rows, cols = np.ogrid[-1 : 1 : self.size[0] * 1j, -1 : 1 : self.size[1] * 1j]
        return np.asarray(rows * down + cols * right)


def disk(canvas: Canvas, centre: Point, radius: float) -> BoolMask:
    """H×W: the pixels nearer to a point than the radius."""
    return ellipse(canvas, centre, (radius, radius), 0.0)


def ellipse(canvas: Canvas, centre: Point, radii: Point, angle: float) -> BoolMask:
    """H×W: the inside of an ellipse, its first half axis turned from the columns by radians."""
    rows, cols = np.ogrid[: canvas.size[0], : canvas.size[1]]
    down, right = rows - centre[0], cols - centre[1]
    along = right * np.cos(angle) + down * np.sin(angle)
    across = down * np.cos(angle) - right * np.sin(angle)
    return np.asarray((along / radii[0]) ** 2 + (across / radii[1]) ** 2 < 1)


def shape(rng: Generator, canvas: Canvas, centre: Point, radius: float, kind: str) -> BoolMask:
    """A shape of any proportions.

    Args:
        rng: Source of randomness.
        canvas: Where it is drawn.
        centre: Its middle.
        radius: Largest distance from the middle.
        kind: One of :data:`KINDS`.

    Returns:
        H×W.
    """
    angle = rng.uniform(0, np.pi)
    if kind == "disk":
        return disk(canvas, centre, radius)
    if kind == "ellipse":
        return ellipse(canvas, centre, (radius, radius * rng.uniform(0.4, 0.95)), angle)
    if kind == "ring":
        hole = disk(canvas, centre, radius * rng.uniform(0.35, 0.75))
        return disk(canvas, centre, radius) & ~hole
    if kind == "polygon":
        angles = np.sort(rng.uniform(0, 2 * np.pi, rng.integers(3, 9)))
        reach = radius * rng.uniform(0.6, 1, len(angles))
    elif kind == "star":
        points = int(rng.integers(4, 8))
        angles = angle + np.arange(2 * points) * np.pi / points
        reach = np.where(np.arange(2 * points) % 2, radius * rng.uniform(0.4, 0.7), radius)
    else:
        half = rng.uniform(0.3, 0.8)
        angles = np.array([half, np.pi - half, np.pi + half, -half])
        angles += angle if kind == "rectangle" else 0.0
        reach = np.full(4, radius)
    return _polygon(canvas, centre, angles, reach)


def _polygon(canvas: Canvas, centre: Point, angles: Floats, reach: Floats) -> BoolMask:
    """The inside of corners at angles and distances from a point."""
    corners = np.stack((centre[1] + np.cos(angles) * reach, centre[0] + np.sin(angles) * reach), 1)
    mask = np.zeros(canvas.size, dtype=np.uint8)
    cv2.fillPoly(mask, [np.round(corners).astype(np.int32)], 1)
    return mask.astype(np.bool_)
