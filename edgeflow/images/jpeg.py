"""JPEG files without the segments that only describe them."""

from __future__ import annotations

import struct

from edgeflow.images.orientation import UPRIGHT, exif_orientation

_SCAN = 0xDA
_EXIF = 0xE1
_DESCRIBING = frozenset((_EXIF, 0xE2, 0xED, 0xFE))
"""EXIF and XMP, ICC profiles, Photoshop's data, comments: damaged ones fail in Pillow."""


def without_descriptions(data: bytes) -> tuple[bytes, int]:
    """The file without describing segments, and the orientation that they give, 1 to 8.

    The first EXIF segment before the first scan counts.
    """
    at, parts, orientation = 2, [data[:2]], 0
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] != _SCAN:
        marker = data[at + 1]
        if marker == 0xFF:  # a fill byte
            at += 1
            continue
        (length,) = struct.unpack_from(">H", data, at + 2)
        end = at + 2 + length
        if marker == _EXIF and data[at + 4 : at + 9] == b"Exif\0":
            orientation = orientation or exif_orientation(data[at + 10 : end])
        if marker not in _DESCRIBING:
            parts.append(data[at:end])
        at = end
    return b"".join((*parts, data[at:])), orientation or UPRIGHT
