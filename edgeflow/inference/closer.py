"""Closer looks at a first click, for objects that the whole image is too coarse a view of.

Where the first look is unsure, or finds next to nothing, the surroundings of the click are looked
at, the closest first. ``docs/experiments.md`` says how the numbers were chosen.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np

from edgeflow.arrays import BoolMask, FloatMap
from edgeflow.geometry import Box, ImagePoint, Size
from edgeflow.masks.patch import MASK_THRESHOLD
from edgeflow.masks.score import Calibration

CLOSER = 2
"""Least ratio of an image's longer side to a window's."""

CUT = 0.25
"""Length of the outline on a window's border from which on the window cuts an object; see
:func:`cut_length`."""


class Found(NamedTuple):
    """What a look at a first click came to.

    Attributes:
        score: Estimate of the mask's IoU with the object, 0 to 1; 0 for an empty mask.
        extent: Longer side of the mask's bounding box over the view's longer side, 0 to 1.
        cut: How much of the mask's outline the view cuts; see :func:`cut_length`.
    """

    score: float
    extent: float
    cut: float

    @classmethod
    def of(cls, probability: FloatMap, frame: Box, image: Size, calibration: Calibration) -> Found:
        """Measure a look.

        Args:
            probability: h×w float32, mask probability on the network's grid.
            frame: Part of the image that the grid covers.
            image: Image size.
            calibration: Gives the score.
        """
        solid = probability > MASK_THRESHOLD
        _, _, width, height = cv2.boundingRect(solid.view(np.uint8))
        if not width:
            return cls(0.0, 0.0, 0.0)
        return cls(
            calibration(probability, 1),
            max(width, height) / max(solid.shape),
            cut_length(solid, frame, image),
        )


@dataclass(frozen=True, slots=True)
class CloserLooks:
    """When a first click is looked at again, where, and which look is believed.

    Attributes:
        sides: Sides of the windows around the click, image pixels, in the order of the looks.
        long_side: Network pixels of a window's longer side; windows are small, so that they need
            fewer than the whole image.
        least: Smallest side of later regions once a window was believed, image pixels.
        sure: Score from which on a look at the whole image is sure.
        large: Extent from which on a sure one is enough.
        larger: Extent from which on an unsure one is, too, where the view is not coarse: what it
            shows is no smaller than a window would show.
        coarse: Image pixels to a network pixel from which on a view of the whole image is coarse.
        cut: Outline on the window's border from which on the window cuts the object.
        margin: What the score of a window may be below that of the whole image.
    """

    sides: tuple[int, ...] = (160, 448)
    long_side: int = 320
    least: int = 48
    sure: float = 0.55
    large: float = 0.1
    larger: float = 0.25
    coarse: float = 2.0
    cut: float = CUT
    margin: float = 0.1

    def windows(self, point: ImagePoint, image: Size) -> Iterator[Box]:
        """The windows to look at in turn, moved into the image; none where it is small.

        Args:
            point: The click, image pixels.
            image: Image size.
        """
        for side in self.sides:
            if max(image) >= CLOSER * side:
                yield Box.around(point, side, image)

    def enough(self, overview: Found, scale: float) -> bool:
        """Whether the look at the whole image needs no other beside it.

        Args:
            overview: What it came to.
            scale: Image pixels to a network pixel.
        """
        if overview.score >= self.sure:
            return overview.extent >= self.large
        return scale < self.coarse and overview.extent >= self.larger

    def whole(self, window: Found) -> bool:
        """Whether a window shows all of what was found in it, and something was."""
        return window.score > 0 and window.cut <= self.cut

    def believes(self, window: Found, overview: Found) -> bool:
        """Whether a window that shows all of its object goes before the whole image."""
        return window.score >= overview.score - self.margin


def cut_length(mask: BoolMask, frame: Box, image: Size) -> float:
    """Length of a mask's outline on a frame's borders inside the image.

    Args:
        mask: h×w, what is seen in the frame, at whatever scale; not empty.
        frame: The part of the image that is looked at.
        image: Image size.

    Returns:
        In the square root of the mask's area.
    """
    edges = (
        (frame.top > 0, mask[0]),
        (frame.left > 0, mask[:, 0]),
        (frame.bottom < image.height, mask[-1]),
        (frame.right < image.width, mask[:, -1]),
    )
    length = sum(int(np.count_nonzero(edge)) for inside, edge in edges if inside)
    return length / math.sqrt(np.count_nonzero(mask))
