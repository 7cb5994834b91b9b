"""Coordinates as types: points in image and network pixels, sizes and boxes.

Both pixel frames put (0, 0) at the *centre* of the top-left pixel, so an image of width W spans
-0.5 to W - 0.5. Label Studio's percent frame lives in ``edgeflow.label_studio``.
"""

from __future__ import annotations

from typing import NamedTuple


class ImagePoint(NamedTuple):
    """A point in image pixels: x to the right, y down, EXIF orientation applied."""

    x: float
    y: float


class NetworkPoint(NamedTuple):
    """A point in network pixels, inside the resized zoom-in region."""

    row: float
    col: float


class Size(NamedTuple):
    """Height and width in pixels."""

    height: int
    width: int


class Box(NamedTuple):
    """A rectangle of image pixels; ``bottom`` and ``right`` are exclusive."""

    top: int
    left: int
    bottom: int
    right: int

    @classmethod
    def whole(cls, size: Size) -> Box:
        """The box that covers an image of ``size``."""
        return cls(0, 0, size.height, size.width)

    @classmethod
    def around(cls, point: ImagePoint, side: float, size: Size) -> Box:
        """The square around a point, moved into an image of ``size``, and no larger than it.

        Args:
            point: Its middle.
            side: Its side, image pixels; rounded, and at least 1.
            size: Of the image.
        """
        top, bottom = _span(point.y, side, size.height)
        left, right = _span(point.x, side, size.width)
        return cls(top, left, bottom, right)

    @property
    def size(self) -> Size:
        """Height and width in image pixels."""
        return Size(self.bottom - self.top, self.right - self.left)

    @property
    def area(self) -> int:
        """Pixels inside; 0 for an empty or inverted rectangle."""
        return max(self.bottom - self.top, 0) * max(self.right - self.left, 0)

    @property
    def slices(self) -> tuple[slice, slice]:
        """Rows and columns, to index an H×W array with."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def shifted(self, down: int, right: int) -> Box:
        """The same box further down and to the right."""
        return Box(self.top + down, self.left + right, self.bottom + down, self.right + right)

    def contains(self, point: ImagePoint) -> bool:
        """Whether ``point`` lies on one of the box's pixels."""
        return (
            self.left - 0.5 <= point.x < self.right - 0.5
            and self.top - 0.5 <= point.y < self.bottom - 0.5
        )

    def intersection(self, other: Box) -> Box:
        """The common rectangle; its ``area`` is 0 when there is none."""
        return Box(
            max(self.top, other.top),
            max(self.left, other.left),
            min(self.bottom, other.bottom),
            min(self.right, other.right),
        )

    def iou(self, other: Box) -> float:
        """Intersection over union with ``other``, 0 to 1."""
        common = self.intersection(other).area
        union = self.area + other.area - common
        return common / union if union else 0.0


def _span(centre: float, length: float, side: int) -> tuple[int, int]:
    whole = min(max(round(length), 1), side)
    start = min(max(round(centre - length / 2), 0), side - whole)
    return start, start + whole
