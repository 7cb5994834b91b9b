"""Tiles as files: their names, and their bytes."""

from __future__ import annotations

import cv2
import numpy as np

from edgeflow.geometry import Box, Size
from edgeflow.tiles.errors import TilesError
from edgeflow.tiles.sources.source import TilePixels

QUALITY = 90
"""Of JPEG."""

MAX_JPEG_SIDE = 65_535

FORMATS: dict[str, tuple[int, ...]] = {
    # Only runs are looked for, after one fixed filter: a tenth of the time of Pillow's default, and
    # photographs are no longer for it.
    "png": (
        cv2.IMWRITE_PNG_COMPRESSION,
        1,
        cv2.IMWRITE_PNG_STRATEGY,
        cv2.IMWRITE_PNG_STRATEGY_RLE,
        cv2.IMWRITE_PNG_FILTER,
        cv2.IMWRITE_PNG_FILTER_UP,
    ),
    "jpg": (cv2.IMWRITE_JPEG_QUALITY, QUALITY),
}
"""Endings, with the encoder's options."""


def tile_name(name: str, size: Size, box: Box, ending: str) -> str:
    """The file name of a tile: the picture's, and its top left pixel.

    Args:
        name: The picture's, safe as the beginning of a file name.
        size: The picture's.
        box: The tile's window.
        ending: Of :data:`FORMATS`.
    """
    digits = len(str(max(size)))
    return f"{name}_y{box.top:0{digits}}_x{box.left:0{digits}}.{ending}"


def encode_tile(pixels: TilePixels, ending: str) -> bytes:
    """A tile's file.

    Args:
        pixels: H×W×1 grey, or H×W×3 RGB.
        ending: Of :data:`FORMATS`.

    Raises:
        TilesError: It cannot be written in this format.
    """
    if pixels.shape[2] == 3:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR).astype(np.uint8, copy=False)
    try:
        done, data = cv2.imencode(f".{ending}", pixels, FORMATS[ending])
    except cv2.error:
        done, data = False, np.zeros(0, dtype=np.uint8)
    if not done:
        raise TilesError(
            f"a tile of {pixels.shape[1]}×{pixels.shape[0]} pixels cannot be written as {ending}",
            hint="choose a smaller --size",
        )
    return data.tobytes()
