"""What an object starts from before its first click: an outline drawn around it, or a mask.

No network here is trained for either, so both are turned into what it knows: implied clicks, a
zoom-in region, and the map that it is fed. What each choice is worth on training pictures is in
``docs/prompts.md`` and ``docs/refining.md``.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from edgeflow.errors import PromptError
from edgeflow.geometry import ImagePoint, Region, Size
from edgeflow.nn.interface import Feedback
from edgeflow.prompts import Click

BoolMask = npt.NDArray[np.bool_]

CORNER_DISTANCE = 0.06
"""How far outside an outline's corners its implied negative clicks lie, in parts of its sides."""

CLEARANCE = 0.05
"""How far an implied positive click stays from negative ones, in parts of the object's longer
side."""

BAND_WIDTH = 9
"""Width of the edge map made from a mask's boundary, in network pixels."""

BAND_PROBABILITY = 0.9
"""Its value: about what the network's own edge maps reach."""


@dataclass(frozen=True, eq=False)
class Outline:
    """A rectangle or a lasso drawn around the object; the mask never leaves it.

    Attributes:
        region: the rectangle, or the lasso's bounding box; on the picture and not empty.
        inside: H×W bool, the lasso's inside at the picture's size; None for the whole rectangle.
    """

    region: Region
    inside: BoolMask | None = None

    def __post_init__(self) -> None:
        if self.inside is not None:
            object.__setattr__(self, "inside", np.array(self.inside, order="C"))

    @cached_property
    def digest(self) -> str:
        """Stands for this start wherever a prediction is remembered."""
        inside = "" if self.inside is None else _digest(self.inside)
        return f"outline {tuple(self.region)} {inside}"

    def check(self, size: Size) -> None:
        """Refuse an outline that is not on a picture, or holds nothing of it.

        Raises:
            PromptError: saying which.
        """
        if self.inside is not None:
            _check_shape("lasso", self.inside, size)
        region = self.region
        on = region == region.intersection(Region.whole(size))
        if not on or min(region.size) < 1 or (self.inside is not None and not self.inside.any()):
            raise PromptError(
                f"the outline {tuple(region)} does not lie on the picture "
                f"({size.width}×{size.height}), or is empty",
                hint="draw it around the object, on the picture",
            )

    def implied_clicks(self, size: Size) -> tuple[Click, ...]:
        """A positive click in the middle, negative ones outside the corners that lie in view."""
        top, left, bottom, right = self.region
        down, across = (round(CORNER_DISTANCE * side) + 2 for side in self.region.size)
        corners = (
            ImagePoint(float(x), float(y))
            for y in (top - down, bottom - 1 + down)
            for x in (left - across, right - 1 + across)
            if Region.whole(size).contains(ImagePoint(float(x), float(y)))
        )
        return (Click(self._middle()), *(Click(corner, positive=False) for corner in corners))

    def confine(self, probability: Tensor) -> Tensor:
        """A copy of an H×W map that is 0 outside the outline."""
        top, left, bottom, right = self.region
        confined = torch.zeros_like(probability)
        confined[top:bottom, left:right] = probability[top:bottom, left:right]
        if self.inside is not None:
            confined *= torch.from_numpy(self.inside).to(probability.device)
        return confined

    def _middle(self) -> ImagePoint:
        if self.inside is not None:
            return deepest_point(self.inside)
        top, left, bottom, right = self.region
        return ImagePoint((left + right - 1) / 2, (top + bottom - 1) / 2)


@dataclass(frozen=True, eq=False)
class PriorMask:
    """A mask that is there already, drawn by hand or by whatever model.

    Attributes:
        mask: H×W bool at the picture's size.
    """

    mask: BoolMask

    def __post_init__(self) -> None:
        # A copy in rows: what becomes of the array does not matter, nor how it lies in memory.
        object.__setattr__(self, "mask", np.array(self.mask, order="C"))

    def check(self, size: Size) -> None:
        """Refuse a mask of another size than the picture's.

        Raises:
            PromptError: naming both.
        """
        _check_shape("mask", self.mask, size)

    @cached_property
    def digest(self) -> str:
        """Stands for this start wherever a prediction is remembered."""
        return f"mask {_digest(self.mask)}"


Start = Outline | PriorMask


def _digest(mask: BoolMask) -> str:
    height, width = mask.shape
    bits = np.packbits(mask).tobytes()
    return hashlib.sha256(f"{height}x{width}|".encode() + bits).hexdigest()


def _check_shape(what: str, mask: BoolMask, size: Size) -> None:
    if mask.shape != tuple(size):
        raise PromptError(
            f"the {what} is {'×'.join(map(str, mask.shape[::-1]))}, "
            f"the picture {size.width}×{size.height}",
            hint="send it at the picture's size",
        )


def contradicts(click: Click, point: ImagePoint, extent: Size) -> bool:
    """Whether a negative click says that an implied positive one at ``point`` is wrong."""
    away = math.hypot(click.point.x - point.x, click.point.y - point.y)
    return not click.positive and away <= CLEARANCE * max(extent) + 3


def implied_clicks(mask: BoolMask, clicks: Sequence[Click], extent: Size) -> tuple[Click, ...]:
    """A positive click deep in a mask, clear of negative ones; none where there is no such place.

    Args:
        mask: H×W.
        clicks: the annotator's.
        extent: of the mask's bounding box.
    """
    free = mask.astype(np.uint8)
    reach = math.ceil(CLEARANCE * max(extent)) + 3
    for click in clicks:
        if not click.positive:
            cv2.circle(free, (round(click.point.x), round(click.point.y)), reach, 0, -1)
    return (Click(deepest_point(free > 0)),) if free.any() else ()


def deepest_point(mask: BoolMask) -> ImagePoint:
    """The pixel of a non-empty H×W mask that is farthest from what is outside it."""
    rows = np.flatnonzero(mask.any(axis=1))
    cols = np.flatnonzero(mask.any(axis=0))
    top, left = int(rows[0]), int(cols[0])
    part = mask[top : int(rows[-1]) + 1, left : int(cols[-1]) + 1].astype(np.uint8)
    depth = cv2.distanceTransform(np.pad(part, 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    row, col = np.unravel_index(int(depth.argmax()), depth.shape)
    return ImagePoint(float(left + col), float(top + row))


def feedback_of(mask: BoolMask, frame: Region, size: Size, kind: Feedback) -> Tensor:
    """The map that a network would have fed back had it made this mask.

    Args:
        mask: H×W at the picture's size.
        frame: the zoom-in region.
        size: the network's input size for it.
        kind: ``edge`` for a band along the boundary, ``mask`` for the mask itself.

    Returns:
        1×1×size float32.
    """
    part = mask[frame.top : frame.bottom, frame.left : frame.right].astype(np.float32)
    small = cv2.resize(part, (size.width, size.height), interpolation=cv2.INTER_AREA)
    if kind == "mask":
        return torch.from_numpy(small)[None, None]
    solid = (small > 0.5).astype(np.uint8)
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (BAND_WIDTH, BAND_WIDTH))
    band = cv2.dilate(solid, disk) - cv2.erode(solid, disk)
    return torch.from_numpy(band.astype(np.float32) * BAND_PROBABILITY)[None, None]


def merge(before: BoolMask, predicted: BoolMask, click: Click) -> BoolMask:
    """Change a mask only where a click asks for it.

    A positive click adds the connected part that holds it of all that the prediction would add; a
    negative one removes likewise; all else stays as the annotator left it. (Progressive merge after
    Chen et al., "FocalClick", CVPR 2022, arXiv:2204.02574.) A click that the prediction does not
    follow changes nothing.

    Args:
        before: H×W.
        predicted: H×W.
        click: on the picture.
    """
    row = min(max(round(click.point.y), 0), before.shape[0] - 1)
    col = min(max(round(click.point.x), 0), before.shape[1] - 1)
    merged: BoolMask = before.copy()
    changes = predicted & ~before if click.positive else before & ~predicted
    if changes[row, col]:
        filled = np.ascontiguousarray(changes, dtype=np.uint8)
        cv2.floodFill(filled, None, (col, row), 2)
        merged[filled == 2] = click.positive
    return merged
