"""JPEG files without the segments that only describe them."""

from __future__ import annotations

import struct

from edgeflow.errors import ImageError
from edgeflow.images.orientation import UPRIGHT, exif_orientation

_SCAN = 0xDA
_EXIF = 0xE1
_DESCRIBING = frozenset((_EXIF, 0xE2, 0xED, 0xFE))
"""EXIF and XMP, ICC profiles, Photoshop's data, comments: damaged ones fail in Pillow."""

_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_LOSSLESS = frozenset((0xC3, 0xC7, 0xCB, 0xCF))


def without_descriptions(data: bytes) -> tuple[bytes, int]:
    """The file without describing segments, and the orientation that they give, 1 to 8.

    The first EXIF segment before the first scan counts.

    Raises:
        ImageError: The file is of a kind that is not read.
    """
    at, parts, orientation = 2, [data[:2]], 0
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] != _SCAN:
        marker = data[at + 1]
        if marker == 0xFF:  # a fill byte
            at += 1
            continue
        (length,) = struct.unpack_from(">H", data, at + 2)
        end = at + 2 + length
        if marker in _FRAMES and at + 4 < len(data):
            _check(marker, data[at + 4])
        if marker == _EXIF and data[at + 4 : at + 9] == b"Exif\0":
            orientation = orientation or exif_orientation(data[at + 10 : end])
        if marker not in _DESCRIBING:
            parts.append(data[at:end])
        at = end
    return b"".join((*parts, data[at:])), orientation or UPRIGHT


def _check(frame: int, bits: int) -> None:
    """Refuse what browsers and Pillow do not read, by its name."""
    kind = "lossless JPEG" if frame in _LOSSLESS else "JPEG"
    if kind != "JPEG" or bits in range(9, 17):
        raise ImageError(
            f"not a readable image (a {kind} of {bits} bits)",
            hint="convert it to PNG, of 16 bits if its depth matters; browsers do not show it",
        )
