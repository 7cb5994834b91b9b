"""Boxes and points on an image to masks."""

from __future__ import annotations

import math
from dataclasses import dataclass

from edgeflow.data.base import DatasetError
from edgeflow.data.boxes import FloatBox, FoundBox, FoundPoint, ImageBoxes
from edgeflow.data.left_out import LeftOut
from edgeflow.errors import PromptError
from edgeflow.geometry import Box, ImagePoint, Size
from edgeflow.images import MAX_PIXELS, decode_image
from edgeflow.inference.predictor import Predictor
from edgeflow.inference.state import EncodedImage
from edgeflow.preannotation.regions import MaskedObject
from edgeflow.preannotation.tasks import Report
from edgeflow.prompts.click import Click
from edgeflow.prompts.outline import Outline

DETECTION = "detection"
"""Where a region's ``meta`` keeps what the detector said."""

TOO_WEAK = "boxes and points below --min-score"
NOTHING = "images without a box or point"


@dataclass(frozen=True)
class Segmenter:
    """Makes a mask of each box and point.

    Attributes:
        predictor: Makes the masks.
        label: Label of what has none; None leaves it without.
        min_score: What the detector was less sure of is left out; what has no score stays.
        max_pixels: Larger images are refused.
    """

    predictor: Predictor
    label: str | None = None
    min_score: float = 0.0
    max_pixels: int = MAX_PIXELS

    def wanted(self, found: ImageBoxes, report: Report) -> ImageBoxes | None:
        """The boxes and points that are strong enough; None if nothing is left.

        Args:
            found: What is said of an image.
            report: Told what is left out.
        """
        boxes = tuple(each for each in found.boxes if self._strong(each))
        points = tuple(each for each in found.points if self._strong(each))
        weak = len(found.boxes) + len(found.points) - len(boxes) - len(points)
        report.left_out += [LeftOut(TOO_WEAK)] * weak
        if not boxes and not points:
            report.left_out += [*found.left_out, LeftOut(NOTHING)]
            return None
        return found._replace(boxes=boxes, points=points)

    def masks(
        self, data: bytes, found: ImageBoxes, report: Report, where: str
    ) -> tuple[Size, list[MaskedObject]]:
        """The masks on an image, each with its score, and the image's size.

        Args:
            data: The image's file.
            found: Where its objects are.
            report: Told where nothing was found.
            where: What messages call the image.

        Raises:
            EdgeFlowError: The image cannot be read, or is not the one that the boxes are for.
        """
        rgb = decode_image(data, max_pixels=self.max_pixels)
        size = Size(*rgb.shape[:2])
        if found.size is not None and found.size != size:
            raise DatasetError(
                f"its boxes are for {found.size.width}×{found.size.height} pixels, the image has "
                f"{size.width}×{size.height}",
                hint="run the detector on the images as browsers show them",
            )
        placed = found.in_pixels(size)
        report.left_out += placed.left_out
        image = self.predictor.encode(rgb, copy=False)
        objects = []
        every: list[FoundBox | FoundPoint] = [*placed.boxes, *placed.points]
        for number, each in enumerate(every, start=1):
            try:
                objects.append(self._mask(image, each, str(number)))
            except PromptError as error:
                report.lose(error.message, f"{where}, box or point {number}")
        return size, objects

    def _strong(self, each: FoundBox | FoundPoint) -> bool:
        return each.score is None or each.score >= self.min_score

    def _mask(self, image: EncodedImage, each: FoundBox | FoundPoint, key: str) -> MaskedObject:
        if isinstance(each, FoundBox):
            start = Outline(pixels_of(each.box, image.size))
            prediction = self.predictor.predict(image, [], start=start)
        else:
            prediction = self.predictor.predict(image, [Click(pixel_at(each.x, each.y))])
        if prediction.patch.empty:
            raise PromptError("no object was found there")
        label = each.label or self.label  # an empty one says nothing
        meta = None if each.score is None else {DETECTION: {"score": each.score}}
        labels = () if label is None else (label,)
        return MaskedObject(key, labels, prediction.patch, prediction.score, meta)


def pixels_of(box: FloatBox, size: Size) -> Box:
    """The pixels whose centres lie in a box, at least one.

    Args:
        box: On the image, with an area.
        size: Of the image.
    """
    left, right = _between(box.left, box.right, size.width)
    top, bottom = _between(box.top, box.bottom, size.height)
    return Box(top, left, bottom, right)


def pixel_at(x: float, y: float) -> ImagePoint:
    """A point from the image's corner in the frame of pixels' centres."""
    return ImagePoint(max(x - 0.5, 0.0), max(y - 0.5, 0.0))


def _between(low: float, high: float, limit: int) -> tuple[int, int]:
    first, stop = math.ceil(low - 0.5), math.floor(high - 0.5) + 1
    if first < stop:
        return first, stop
    middle = min(int((low + high) / 2), limit - 1)
    return middle, middle + 1
