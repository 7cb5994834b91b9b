"""What turns an image in a browser, and turning it.

Measured in Chromium 156; ``tests/unit/edgeflow/images/test_orientation.py`` holds the table. EXIF
counts in JPEG and PNG. It does not in WebP. AVIF has boxes of its own, which Pillow reports as an
EXIF orientation. XMP's ``tiff:Orientation`` never counts, so Pillow's ``exif_transpose``, which
reads it, is of no use here.
"""

from __future__ import annotations

import struct

import numpy as np

from edgeflow.arrays import RGBImage

UPRIGHT = 1
"""The orientation that changes nothing."""

_TAG = 0x0112
_SHORT = 3
_ENTRY_BYTES = 12


def exif_orientation(exif: bytes) -> int:
    r"""The orientation that a block of EXIF gives, 1 to 8; 1 where it gives none that counts.

    As in Chromium, it must be one 16-bit value in the first directory; the first of several counts.

    Args:
        exif: From its byte order mark on, without ``Exif\0\0``.
    """
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(exif[:4])
    if order is None:
        return UPRIGHT
    try:
        (start,) = struct.unpack_from(f"{order}I", exif, 4)
        (count,) = struct.unpack_from(f"{order}H", exif, start)
        for number in range(count):
            entry = struct.unpack_from(f"{order}HHIH", exif, start + 2 + number * _ENTRY_BYTES)
            if entry[0] == _TAG:
                _, kind, length, value = entry
                usable = kind == _SHORT and length == 1 and value in range(1, 9)
                return int(value) if usable else UPRIGHT
    except struct.error:  # the block ends early
        pass
    return UPRIGHT


def turned(pixels: RGBImage, orientation: int) -> RGBImage:
    """H×W×3 stored pixels, upright: a view of the same memory.

    Args:
        pixels: As they are stored.
        orientation: 1 to 8, as in EXIF.
    """
    if orientation >= 5:
        pixels = pixels.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return np.asarray(pixels)
