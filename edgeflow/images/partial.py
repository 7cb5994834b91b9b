"""Truncated JPEG, GIF and BMP files, as far as they go.

Pillow refuses them, and knows a switch for all threads only. But it leaves what it has decoded: the
file is decoded onto two backgrounds, and where they differ, pixels are missing. Browsers leave
these transparent.
"""

from __future__ import annotations

import contextlib
import io

import numpy as np
import numpy.typing as npt
from PIL import Image

from edgeflow.arrays import RGBImage
from edgeflow.images.colours import to_rgb
from edgeflow.images.formats import Format

SHOWN_IN_PART = ("JPEG", "GIF", "BMP")
"""Formats of :func:`readable_part`; PNG has a reader of its own."""

_END_OF_JPEG = b"\xff\xd9"
_GREY = 127
"""What libjpeg fills up with is this or one more."""


def readable_part(kind: Format, data: bytes) -> RGBImage:
    """Decode what there is of a file; what is missing is white.

    Args:
        kind: One of :data:`SHOWN_IN_PART`.
        data: The file.

    Raises:
        ValueError: There is not a single pixel.
    """
    image, other = (_onto(kind, data, background) for background in (0, 255))
    missing = _anywhere(np.asarray(image) != np.asarray(other))
    del other
    if kind.name == "JPEG" and missing.any():
        # With an end marker libjpeg also gives what it holds back, such as the scans so far of a
        # progressive file, and grey for the rest.
        image = _onto(kind, data + _END_OF_JPEG, 0)
        missing &= ~_anywhere(np.asarray(image) - np.uint8(_GREY) > 1)
    if missing.all():
        raise ValueError("nothing is there")
    pixels = to_rgb(image)
    pixels[missing] = 255
    return pixels


def _anywhere(flags: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Per pixel, whether a flag of any of its bands is set."""
    return np.asarray(flags.any(axis=2)) if flags.ndim == 3 else flags


def _onto(kind: Format, data: bytes, background: int) -> Image.Image:
    file = kind.reader(io.BytesIO(data))
    bands = len(file.getbands())
    colour = background if bands == 1 else (background,) * bands
    file.im = Image.new(file.mode, file.size, colour).im
    with contextlib.suppress(Exception):  # the decoder's word on where the file ends
        file.load()
    image = Image.new(file.mode, (1, 1))
    image.info = file.info
    image.palette = file.palette
    return image._new(file.im)
