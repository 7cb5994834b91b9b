"""A mask and its place in an image; bounding box, digest, shape and size of masks."""

from __future__ import annotations

import hashlib
import math
from typing import NamedTuple

import cv2
import numpy as np

from edgeflow.arrays import BoolMask
from edgeflow.errors import PromptError
from edgeflow.geometry import Box, Size

MASK_THRESHOLD = 0.5
"""A pixel belongs to the mask where its probability exceeds this."""


def bounding_box(mask: BoolMask) -> Box | None:
    """The smallest box around all pixels of an H×W mask; None for an empty one."""
    if not mask.size:
        return None
    left, top, width, height = cv2.boundingRect(np.ascontiguousarray(mask).view(np.uint8))
    return Box(top, left, top + height, left + width) if width else None


def mask_digest(mask: BoolMask) -> str:
    """SHA-256 of an H×W mask's shape and pixels, 64 hex digits."""
    height, width = mask.shape
    bits = np.packbits(mask).tobytes()
    return hashlib.sha256(f"{height}x{width}|".encode() + bits).hexdigest()


def check_shape(what: str, mask: BoolMask, size: Size) -> None:
    """Refuse a mask of another size than the image's.

    Args:
        what: What the message calls the mask.
        mask: H×W.
        size: Image size.

    Raises:
        PromptError: The sizes differ; the message names both.
    """
    if mask.shape != tuple(size):
        raise PromptError(
            f"the {what} is {'×'.join(map(str, mask.shape[::-1]))}, "
            f"the image {size.width}×{size.height}",
            hint="send it at the image's size",
        )


def fit_mask(mask: BoolMask, size: Size) -> BoolMask:
    """Resize an H×W mask by nearest neighbours; the very same array if it has that size."""
    if mask.shape == tuple(size):
        return mask
    resized = cv2.resize(
        mask.astype(np.uint8), (size.width, size.height), interpolation=cv2.INTER_NEAREST
    )
    return resized.astype(np.bool_)


class MaskPatch(NamedTuple):
    """A mask without the empty space around it.

    Attributes:
        pixels: h×w bool, the bounding box's content; 0×0 for an empty mask.
        box: The bounding box; 0, 0, 0, 0 for an empty mask.
        image_size: Size of the image that the mask lies in.
    """

    pixels: BoolMask
    box: Box
    image_size: Size

    @classmethod
    def of(cls, mask: BoolMask) -> MaskPatch:
        """Crop an H×W mask of the image's size."""
        size = Size(*mask.shape)
        return cls.within_frame(mask, Box.whole(size), size)

    @classmethod
    def within_frame(
        cls, mask: BoolMask, frame: Box, image_size: Size, *, copy: bool = True
    ) -> MaskPatch:
        """Crop a mask that covers a part of the image and is empty outside it.

        Args:
            mask: h×w, the frame's content.
            frame: Part of the image.
            image_size: Size of the image.
            copy: Whether to copy it even where it is hardly larger than its bounding box. Without
                a copy, the caller gives it away.
        """
        box = bounding_box(mask)
        if box is None:
            return cls(np.zeros((0, 0), dtype=np.bool_), Box(0, 0, 0, 0), image_size)
        pixels = mask[box.slices]
        if copy or 2 * pixels.size < mask.size:
            pixels = pixels.copy()
        return cls(pixels, box.shifted(frame.top, frame.left), image_size)

    @property
    def empty(self) -> bool:
        """Whether no pixel belongs to the mask."""
        return not self.pixels.size

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self.pixels.nbytes

    @property
    def digest(self) -> str:
        """Digest of place and pixels, 32 hex digits."""
        place = f"{tuple(self.box)}{tuple(self.image_size)}".encode()
        return hashlib.sha256(place + np.packbits(self.pixels).tobytes()).hexdigest()[:32]

    @property
    def percent_box(self) -> tuple[float, float, float, float]:
        """x, y, width and height of the bounding box, percent of the image."""
        across, down = 100 / self.image_size.width, 100 / self.image_size.height
        box = self.box
        return (
            box.left * across,
            box.top * down,
            box.size.width * across,
            box.size.height * down,
        )

    def whole(self) -> BoolMask:
        """The H×W mask, a new array."""
        mask = np.zeros(self.image_size, dtype=np.bool_)
        mask[self.box.slices] = self.pixels
        return mask

    def iou(self, other: MaskPatch) -> float:
        """Intersection over union with another mask of the same image, 0 to 1."""
        box = self.box.intersection(other.box)
        common = 0
        if box.area:
            ours, theirs = (
                patch.pixels[box.shifted(-patch.box.top, -patch.box.left).slices]
                for patch in (self, other)
            )
            common = int(np.count_nonzero(ours & theirs))
        union = int(np.count_nonzero(self.pixels) + np.count_nonzero(other.pixels)) - common
        return common / union if union else 0.0

    def within(self, x: float, y: float, reach: float) -> bool:
        """Whether some pixel of the mask is near to a point.

        Args:
            x: Percent.
            y: Percent.
            reach: Largest distance, image pixels; 0 asks for the pixel below the point.
        """
        height, width = self.image_size
        row = min(max(y / 100 * height - 0.5, 0.0), height - 1.0) - self.box.top
        col = min(max(x / 100 * width - 0.5, 0.0), width - 1.0) - self.box.left
        top, left = (max(math.floor(place - reach), 0) for place in (row, col))
        bottom, right = (max(math.ceil(place + reach) + 1, 0) for place in (row, col))
        near = np.argwhere(self.pixels[top:bottom, left:right]) + np.array((top, left))
        if not len(near):
            return False
        away = np.hypot(*(near - np.array((row, col))).T).min()
        return bool(away <= max(reach, math.sqrt(0.5)))
