"""A mask and its place in an image."""

from __future__ import annotations

import hashlib
import math
from typing import NamedTuple

import cv2
import numpy as np

from edgeflow.arrays import BoolMask
from edgeflow.errors import PromptError
from edgeflow.geometry import Box, Size


def _digest(mask: BoolMask) -> str:
    height, width = mask.shape
    bits = np.packbits(mask).tobytes()
    return hashlib.sha256(f"{height}x{width}|".encode() + bits).hexdigest()


def _check_shape(what: str, mask: BoolMask, size: Size) -> None:
    if mask.shape != tuple(size):
        raise PromptError(
            f"the {what} is {'×'.join(map(str, mask.shape[::-1]))}, "
            f"the image {size.width}×{size.height}",
            hint="send it at the image's size",
        )


def fit_mask(mask: BoolMask, size: Size) -> BoolMask:
    """Resize a mask to ``size``, if it has another."""
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
        box: where it lies.
        size: of the image.
    """

    pixels: BoolMask
    box: Box
    size: Size

    @classmethod
    def of(cls, mask: BoolMask) -> MaskPatch:
        """Crop an H×W mask."""
        size = Size(*mask.shape)
        rows, cols = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        if not len(rows):
            return cls(np.zeros((0, 0), dtype=np.bool_), Box(0, 0, 0, 0), size)
        box = Box(int(rows[0]), int(cols[0]), int(rows[-1]) + 1, int(cols[-1]) + 1)
        return cls(mask[box.top : box.bottom, box.left : box.right].copy(), box, size)

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self.pixels.nbytes

    @property
    def digest(self) -> str:
        """Of place and pixels, 32 hex digits."""
        told = f"{tuple(self.box)}{tuple(self.size)}".encode()
        return hashlib.sha256(told + np.packbits(self.pixels).tobytes()).hexdigest()[:32]

    @property
    def percent_box(self) -> tuple[float, float, float, float]:
        """x, y, width and height of the bounding box, percent of the image."""
        across, down = 100 / self.size.width, 100 / self.size.height
        box = self.box
        return (
            box.left * across,
            box.top * down,
            box.size.width * across,
            box.size.height * down,
        )

    def whole(self) -> BoolMask:
        """The H×W mask."""
        mask = np.zeros(self.size, dtype=np.bool_)
        mask[self.box.top : self.box.bottom, self.box.left : self.box.right] = self.pixels
        return mask

    def within(self, x: float, y: float, reach: float) -> bool:
        """Whether some pixel of the mask is that near to a point.

        Args:
            x: percent.
            y: percent.
            reach: image pixels; 0 asks for the pixel below the point.
        """
        row = min(max(y / 100 * self.size.height - 0.5, 0.0), self.size.height - 1.0) - self.box.top
        col = min(max(x / 100 * self.size.width - 0.5, 0.0), self.size.width - 1.0) - self.box.left
        top, left = (max(math.floor(place - reach), 0) for place in (row, col))
        bottom, right = (max(math.ceil(place + reach) + 1, 0) for place in (row, col))
        near = np.argwhere(self.pixels[top:bottom, left:right]) + np.array((top, left))
        if not len(near):
            return False
        away = np.hypot(*(near - np.array((row, col))).T).min()
        return bool(away <= max(reach, math.sqrt(0.5)))
