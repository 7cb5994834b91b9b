"""Masks, overlays and cut-outs as image files: the ending of a name decides the format."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from edgeflow.arrays import BoolMask, RGBAImage, RGBImage
from edgeflow.errors import FileWriteError
from edgeflow.files import is_special
from edgeflow.masks.palette import voc_colour
from edgeflow.similar.numbered import NumberMap

Options = Mapping[str, Any]

PNG = ".png"

LOSSLESS: dict[str, tuple[str, Options]] = {
    PNG: ("PNG", {}),
    ".bmp": ("BMP", {}),
    ".tif": ("TIFF", {"compression": "tiff_lzw"}),
    ".tiff": ("TIFF", {"compression": "tiff_lzw"}),
    ".webp": ("WEBP", {"lossless": True}),
}
"""Formats by ending, as Pillow names them, with its options. A mask is exact in each."""

LOSSY: dict[str, tuple[str, Options]] = {
    ".jpg": ("JPEG", {"quality": 92}),
    ".jpeg": ("JPEG", {"quality": 92}),
}
"""Formats of overlays only."""

TRANSPARENT = {ending: LOSSLESS[ending] for ending in (PNG, ".webp")}
"""Formats of cut-outs without a background."""


def check_cutout_ending(path: Path, *, opaque: bool) -> None:
    """Refuse a cut-out's file name whose ending is of no format that can hold it.

    Args:
        path: File to write.
        opaque: Whether it is laid on a background.

    Raises:
        FileWriteError: It has another ending or none.
    """
    if opaque:
        check_overlay_ending(path)
        return
    suffix = _suffix(path)
    if suffix in LOSSLESS | LOSSY and suffix not in TRANSPARENT:
        raise FileWriteError(
            f"cannot write the result to {path}: {suffix} is written without transparency",
            hint=f"choose one of {', '.join(TRANSPARENT)}, or a --background",
        )
    _look_up(path, TRANSPARENT)


def check_mask_ending(path: Path) -> None:
    """Refuse a mask's file name whose ending is not one of :data:`LOSSLESS`.

    Raises:
        FileWriteError: It has another ending or none.
    """
    suffix = _suffix(path)
    if suffix in LOSSY:
        raise FileWriteError(
            f"cannot write the result: a mask as {suffix} would not be exact: {path}",
            hint=f"choose one of {', '.join(LOSSLESS)}",
        )
    _look_up(path, LOSSLESS)


def check_overlay_ending(path: Path) -> None:
    """Refuse an overlay's file name whose ending is in neither table.

    Raises:
        FileWriteError: It has another ending or none.
    """
    _look_up(path, LOSSLESS | LOSSY)


def encode_mask(mask: BoolMask, path: Path) -> bytes:
    """Encode an H×W mask as greyscale of 0 and 255, in the format of a path's ending.

    Raises:
        FileWriteError: The format cannot hold it.
    """
    return _encode(Image.fromarray(mask.astype(np.uint8) * 255), path, LOSSLESS)


def check_numbers_ending(path: Path) -> None:
    """Refuse a file name for numbered objects that is not one of a PNG.

    Raises:
        FileWriteError: It has another ending or none.
    """
    if _suffix(path) != PNG:
        raise FileWriteError(
            f"cannot write the result to {path}: numbers of objects are written as PNG",
            hint=f"end the name with {PNG}",
        )


def encode_numbers(numbers: NumberMap) -> bytes:
    """Encode numbers of objects as PNG: in 8 bits with a palette to look at, or in 16 bits.

    Args:
        numbers: H×W.
    """
    image = Image.fromarray(numbers)
    if numbers.dtype == np.uint8:
        image.putpalette([level for number in range(256) for level in voc_colour(number)])
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def encode_cutout(rgba: RGBAImage, path: Path) -> bytes:
    """Encode an H×W×4 uint8 image in the format of a path's ending.

    Raises:
        FileWriteError: The format cannot hold it.
    """
    return _encode(Image.fromarray(rgba), path, TRANSPARENT)


def encode_overlay(rgb: RGBImage, path: Path) -> bytes:
    """Encode an H×W×3 uint8 image in the format of a path's ending.

    Raises:
        FileWriteError: The format cannot hold it.
    """
    return _encode(Image.fromarray(rgb), path, LOSSLESS | LOSSY)


def _encode(image: Image.Image, path: Path, formats: Mapping[str, tuple[str, Options]]) -> bytes:
    kind, options = _look_up(path, formats)
    buffer = io.BytesIO()
    try:
        image.save(buffer, kind, **options)
    except (OSError, ValueError) as error:  # such as more pixels a side than a format can count
        raise FileWriteError(
            f"cannot write the result as {kind} ({image.width}×{image.height}): {error}",
            hint=f"choose {PNG}",
        ) from error
    return buffer.getvalue()


def _look_up(path: Path, formats: Mapping[str, tuple[str, Options]]) -> tuple[str, Options]:
    suffix = _suffix(path)
    if suffix not in formats:
        fault = f"the ending {suffix} is of no known format" if suffix else "it has no ending"
        raise FileWriteError(
            f"cannot write the result to {path}: {fault}",
            hint=f"the ending decides the format; choose one of {', '.join(formats)}",
        )
    return formats[suffix]


def _suffix(path: Path) -> str:
    """The ending in lower case; that of a PNG for a device or pipe without one."""
    suffix = path.suffix.lower()
    return PNG if not suffix and is_special(path) else suffix
