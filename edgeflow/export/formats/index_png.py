"""PNGs whose pixels are numbers of classes or objects."""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt
from PIL import Image

from edgeflow.export.formats.png_files import LEVEL, pixels_png

BYTE = 255
MOST = 65535
"""Numbers that a PNG of 8 and of 16 bits has room for."""


def index_png(numbers: npt.NDArray[np.integer], most: int) -> bytes:
    """A grey PNG, the same whenever its numbers are, of the fewest bits that have room for all.

    It is grey and has no palette, since some readers, among them OpenCV, give the colours of a
    palette in place of the numbers.

    Args:
        numbers: H×W, from 0.
        most: The largest number that may occur, up to ``MOST``.
    """
    if most <= BYTE:
        return pixels_png(numbers.astype(np.uint8))
    buffer = io.BytesIO()
    Image.fromarray(numbers.astype(np.uint16)).save(buffer, "PNG", compress_level=LEVEL)
    return buffer.getvalue()
