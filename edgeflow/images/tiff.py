"""TIFF files of more than 8 bits whose colours lie apart, which Pillow and OpenCV misread.

Each plane is given to Pillow as a grey TIFF: the same bytes under a directory of their own.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import TiffImagePlugin

BITS, SAMPLES, PLANAR, ORIENTATION = 258, 277, 284, 274
"""Tags."""

_KEPT = (256, 257, 259, 266, 278, 317, 322, 323)
"""Tags that hold for each plane as for the image: sizes, compression, strips, tiles, predictor."""

_PLACES = (273, 279, 324, 325)
"""Tags with one value for each strip or tile, plane after plane."""

_LONG = 4


def lies_apart(tags: Mapping[int, Any]) -> bool:
    """Whether an image of several samples a pixel stores one after the other."""
    return bool(tags.get(PLANAR, 1) == 2 and tags.get(SAMPLES, 1) > 1)


def joined_planes(data: bytes, tags: Mapping[int, Any]) -> npt.NDArray[Any]:
    """An image whose colours lie apart, H×W×samples, as stored and at its own depth."""
    order = "<" if data[:2] == b"II" else ">"
    planes = []
    for number in range(min(tags[SAMPLES], 4)):
        with TiffImagePlugin.TiffImageFile(io.BytesIO(_plane(data, tags, number, order))) as image:
            image.load()
            planes.append(np.asarray(image))
    return np.stack(planes, axis=-1)


def _plane(data: bytes, tags: Mapping[int, Any], number: int, order: str) -> bytes:
    entries = {key: (int(tags[key]),) for key in _KEPT if key in tags}
    entries |= {BITS: (tags[BITS][0],), 262: (1,), SAMPLES: (1,), PLANAR: (1,)}
    entries[339] = (tags.get(339, (1,))[0],)
    for key in _PLACES:
        if key in tags:
            each = len(tags[key]) // tags[SAMPLES]
            entries[key] = tuple(tags[key][number * each : (number + 1) * each])
    start = len(data) + len(data) % 2
    beyond = start + 2 + 12 * len(entries) + 4
    directory, values = [struct.pack(f"{order}H", len(entries))], b""
    for key in sorted(entries):
        packed = struct.pack(f"{order}{len(entries[key])}I", *entries[key])
        place = packed
        if len(packed) > 4:
            place = struct.pack(f"{order}I", beyond + len(values))
            values += packed
        directory.append(struct.pack(f"{order}HHI", key, _LONG, len(entries[key])) + place)
    mark = b"II*\0" if order == "<" else b"MM\0*"
    header = mark + struct.pack(f"{order}I", start)
    return b"".join((header, data[8:], bytes(len(data) % 2), *directory, bytes(4), values))
