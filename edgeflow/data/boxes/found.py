"""What is said of the objects on one image by boxes and points.

Coordinates are (x, y) from the image's top left corner, so an image of width W spans 0 to W: half a
pixel more than in the frame of :class:`edgeflow.geometry.ImagePoint`.
"""

from __future__ import annotations

from typing import NamedTuple

from edgeflow.data.left_out import LeftOut
from edgeflow.geometry import Size

OUTSIDE = "boxes and points outside the image"
NO_AREA = "a box without area"


class FloatBox(NamedTuple):
    """A box's borders; ``right`` and ``bottom`` are exclusive."""

    left: float
    top: float
    right: float
    bottom: float


class FoundBox(NamedTuple):
    """An object's box.

    Attributes:
        label: Class name, or the class's number as text where no name is at hand; None if the
            object has no class.
        box: Its borders.
        score: Confidence as the tool wrote it; None if it wrote none.
    """

    label: str | None
    box: FloatBox
    score: float | None = None


class FoundPoint(NamedTuple):
    """A point on an object.

    Attributes:
        label: As of a box.
        x: To the right.
        y: Down.
        score: As of a box.
    """

    label: str | None
    x: float
    y: float
    score: float | None = None


class ImageBoxes(NamedTuple):
    """What is said of one image.

    Attributes:
        file_name: Relative path of the image with slashes, without ``..``. Without an extension
            where the file says none, as YOLO's labels and COCO's results do; images are then found
            by their name without extension.
        size: The image's, if the file gives it.
        boxes: In the file's order.
        points: In the file's order.
        relative: Whether coordinates are fractions of the image and not pixels.
        left_out: What cannot be read.
    """

    file_name: str
    size: Size | None
    boxes: tuple[FoundBox, ...]
    points: tuple[FoundPoint, ...] = ()
    relative: bool = False
    left_out: tuple[LeftOut, ...] = ()

    def in_pixels(self, size: Size) -> ImageBoxes:
        """The same in pixels of an image of ``size``, cut at its borders.

        What lies outside the image is left out.
        """
        across, down = (size.width, size.height) if self.relative else (1, 1)
        boxes = []
        for each in self.boxes:
            left, right = (_within(x * across, size.width) for x in each.box[::2])
            top, bottom = (_within(y * down, size.height) for y in each.box[1::2])
            if left < right and top < bottom:
                boxes.append(each._replace(box=FloatBox(left, top, right, bottom)))
        points = [
            each._replace(x=each.x * across, y=each.y * down)
            for each in self.points
            if 0 <= each.x * across < size.width and 0 <= each.y * down < size.height
        ]
        lost = len(self.boxes) + len(self.points) - len(boxes) - len(points)
        left_out = (*self.left_out, *[LeftOut(OUTSIDE)] * lost)
        return ImageBoxes(
            self.file_name, size, tuple(boxes), tuple(points), relative=False, left_out=left_out
        )


def with_area(boxes: list[FoundBox], source: str) -> tuple[list[FoundBox], list[LeftOut]]:
    """The boxes that have an area, and what is said of the others."""
    kept = [
        each for each in boxes if each.box.left < each.box.right and each.box.top < each.box.bottom
    ]
    return kept, [LeftOut(NO_AREA, source)] * (len(boxes) - len(kept))


def _within(value: float, limit: float) -> float:
    return min(max(value, 0.0), limit)
