"""What compressed frames say of themselves."""

from __future__ import annotations

import struct
from collections.abc import Iterator

_SIZES = b"\xff\x4f\xff\x51"
"""The start of a JPEG 2000 codestream, and the marker of its sizes."""

_TABLES = frozenset((0xC4, 0xC8, 0xCC))
_LS = 0xF7


def codestream_size(data: bytes) -> tuple[int, int] | None:
    """Height and width that a compressed frame claims: JPEG, JPEG-LS, JPEG 2000; None of others.

    Decoders believe it, and take memory for it.
    """
    start = data.find(_SIZES, 0, 4096)
    if start >= 0 and len(data) >= start + 24:  # the grid's size less the image's offset
        right, bottom, left, top = struct.unpack_from(">4I", data, start + 8)
        return bottom - top, right - left
    for place in _frames(data):
        height, width = struct.unpack_from(">HH", data, place + 5)
        return height, width
    return None


def is_subsampled(data: bytes) -> bool:
    """Whether a JPEG has fewer values of its second component than of its first.

    So it is YBR, whatever the file around it says: nobody leaves out green.
    """
    for place in _frames(data):
        counts = data[place + 9 : place + 10]
        factors = data[place + 11 : place + 17 : 3]  # of the first two components
        return counts == b"\x03" and len(factors) == 2 and factors[0] != factors[1]
    return False


def _frames(data: bytes) -> Iterator[int]:
    """Where a JPEG's frame headers begin, before the first scan."""
    if data[:2] != b"\xff\xd8":
        return
    place = 2
    while place + 9 <= len(data) and data[place] == 0xFF:
        marker = data[place + 1]
        if marker == 0xFF:
            place += 1
            continue
        if (0xC0 <= marker <= 0xCF and marker not in _TABLES) or marker == _LS:
            yield place
        place += 2 + int(struct.unpack_from(">H", data, place + 2)[0])
