"""PNG files that are the same whenever their pixels are."""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt
from PIL import Image

from edgeflow.arrays import ByteMap
from edgeflow.masks.palette import voc_colour

LEVEL = 6
"""Of compression."""

BYTE = 255
MOST = 65535
"""Numbers that a PNG of 8 and of 16 bits has room for."""

_PALETTE = bytes(channel for number in range(256) for channel in voc_colour(number))


def pixels_png(pixels: npt.NDArray[np.uint8]) -> bytes:
    """A PNG of 8 bits a channel.

    Args:
        pixels: H×W grey, H×W×3 RGB or H×W×4 RGBA with straight alpha.
    """
    return _saved(Image.fromarray(np.ascontiguousarray(pixels)))


def palette_png(numbers: ByteMap) -> bytes:
    """A PNG of H×W numbers that are shown in the colours of PASCAL VOC."""
    image = Image.fromarray(np.ascontiguousarray(numbers))
    image.putpalette(_PALETTE)
    return _saved(image)


def index_png(numbers: npt.NDArray[np.integer], most: int) -> bytes:
    """A grey PNG of numbers of classes or objects, of the fewest bits that have room for all.

    It is grey and has no palette, since some readers, among them OpenCV, give the colours of a
    palette in place of the numbers.

    Args:
        numbers: H×W, from 0.
        most: The largest number that may occur, up to ``MOST``.
    """
    return _saved(Image.fromarray(numbers.astype(np.uint8 if most <= BYTE else np.uint16)))


def _saved(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=LEVEL)
    return buffer.getvalue()
