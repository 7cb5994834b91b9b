"""What a JPEG 2000 file says of its samples."""

from __future__ import annotations

_SIZES = b"\xff\x4f\xff\x51"
"""The start of the codestream, and the marker of its sizes."""

_COUNT, _DEPTH = 40, 42
"""Bytes from there to the number of components, and to the first one's depth less one."""


def has_deep_colours(data: bytes) -> bool:
    """Whether a file has several components of more than 8 bits, which Pillow cuts to 8."""
    at = data.find(_SIZES)
    if at < 0 or at + _DEPTH >= len(data):
        return False
    count = int.from_bytes(data[at + _COUNT : at + _DEPTH], "big")
    return count > 1 and (data[at + _DEPTH] & 0x7F) + 1 > 8
