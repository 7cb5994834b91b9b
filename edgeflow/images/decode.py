"""Decoding: the one entrance for image bytes."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from edgeflow.arrays import RGBImage
from edgeflow.errors import ImageError, ImageTooLargeError
from edgeflow.images.avif import without_exif
from edgeflow.images.colours import to_rgb
from edgeflow.images.depth import to_8_bits
from edgeflow.images.formats import (
    FORMATS,
    MAX_PIXELS,
    Format,
    check_pixels,
    describe,
    format_of,
)
from edgeflow.images.jpeg import without_descriptions
from edgeflow.images.jpeg2000 import has_deep_colours
from edgeflow.images.orientation import UPRIGHT, exif_orientation, turned
from edgeflow.images.partial import SHOWN_IN_PART, readable_part
from edgeflow.images.png import PNG, Missing, completed, read_png
from edgeflow.images.tiff.directory import HEIGHT, ORIENTATION, PIXELS, WIDTH, read_directory
from edgeflow.images.tiff.samples import are_unusual, read_unusual

NOT_SHOWN = "browsers do not show it"
"""The end of a note on an image that annotators see nothing of."""

SHOWN_PIXELS = 12_000 * 12_000
"""As much was shown in Label Studio; 20,000×20,000 pixels stayed blank, without a word."""

TRUNCATED = "the image file is truncated or damaged: it was read as far as it goes"


class DecodedImage(NamedTuple):
    """An image and what had to be done to read it.

    Attributes:
        pixels: H×W×3 uint8 RGB.
        notes: What a user should know of it, such as that the file is truncated; usually empty.
    """

    pixels: RGBImage
    notes: tuple[str, ...] = ()


def decode_image(data: bytes, *, max_pixels: int = MAX_PIXELS, as_stored: bool = False) -> RGBImage:
    """Decode an image as browsers show it; see :func:`read_image`. Refuses truncated files."""
    return read_image(data, max_pixels=max_pixels, as_stored=as_stored).pixels


def read_image(
    data: bytes,
    *,
    max_pixels: int = MAX_PIXELS,
    as_stored: bool = False,
    partial: bool = False,
) -> DecodedImage:
    """Decode an image as browsers show it.

    It is turned as :mod:`edgeflow.images.orientation` says, transparency is laid on white, more
    than 8 bits are reduced as :mod:`edgeflow.images.depth` says, and an animation gives its first
    frame.

    Args:
        data: Bytes of the file.
        max_pixels: Pixel cap, checked on the header before anything is decoded.
        as_stored: Whether to leave the image as it is stored, whatever its orientation says.
        partial: Whether a truncated PNG, JPEG, GIF or BMP is read as far as it goes, with a note.
            What is missing is white, as under the editor's image.

    Raises:
        ImageTooLargeError: More than ``max_pixels``.
        ImageError: Not an image of a supported format, or damaged.
    """
    kind = format_of(data)
    if kind is None:
        raise _unreadable(data)
    try:
        if kind.name == "PNG":
            return _read_png(data, kind, max_pixels, as_stored=as_stored, partial=partial)
        try:
            pixels = _read(data, kind, max_pixels, as_stored=as_stored)
            return DecodedImage(pixels, _not_shown(kind, pixels))
        except Exception as error:
            named = isinstance(error, ImageError)
            if named or kind.name not in SHOWN_IN_PART or not partial:
                raise
            pixels = _read(data, kind, max_pixels, as_stored=as_stored, pixels_of=readable_part)
            return DecodedImage(pixels, (TRUNCATED,))
    except ImageError as error:
        if error.hint:
            raise
        raise _unreadable(data) from error
    except Image.DecompressionBombError as error:  # Pillow's TIFF reader checks for itself
        raise ImageTooLargeError(
            str(error), hint="resize the image, or cut it up with `edgeflow tile`"
        ) from error
    except Exception as error:  # decoders raise almost anything on damaged or hostile bytes
        raise _unreadable(data) from error


def _not_shown(kind: Format, pixels: RGBImage) -> tuple[str, ...]:
    """Why browsers do not show an image; nothing if they do."""
    height, width = pixels.shape[:2]
    if kind.name == "TIFF":
        return (f"it is a TIFF: {NOT_SHOWN}",)
    return (f"{width}×{height} pixels: {NOT_SHOWN}",) if width * height > SHOWN_PIXELS else ()


def _read(
    data: bytes,
    kind: Format,
    max_pixels: int,
    *,
    as_stored: bool,
    pixels_of: Callable[[Format, bytes], RGBImage] | None = None,
) -> RGBImage:
    """Read any format but PNG."""
    if kind.name == "TIFF":
        return _read_tiff(data, max_pixels, as_stored=as_stored)
    orientation = UPRIGHT
    if kind.name == "JPEG":
        data, orientation = without_descriptions(data)
    elif kind.name == "AVIF":
        data = without_exif(data)
    image = kind.reader(io.BytesIO(data))
    check_pixels(image.width, image.height, max_pixels)
    if kind.name == "AVIF":
        exif = image.info.get("exif", b"")
        orientation = exif_orientation(exif.removeprefix(b"Exif\0\0"))
    if pixels_of is None:
        deep = kind.name == "JPEG2000" and has_deep_colours(data)
        wide = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED) if deep else None
        if wide is None:
            image.load()
        pixels = to_rgb(image) if wide is None else _from_opencv(wide)
    else:
        pixels = pixels_of(kind, data)
    return np.ascontiguousarray(turned(pixels, UPRIGHT if as_stored else orientation))


def _read_png(
    data: bytes, kind: Format, max_pixels: int, *, as_stored: bool, partial: bool
) -> DecodedImage:
    png = read_png(data)
    check_pixels(png.header.width, png.header.height, max_pixels)
    missing = None
    try:
        if not png.complete:
            raise ValueError("truncated")  # noqa: TRY301
        pixels = _png_pixels(png.file(), png, kind)
    except Exception:
        if not partial:
            raise
        whole, missing = completed(png)
        pixels = _without(_png_pixels(whole, png, kind), missing)
    orientation = UPRIGHT if as_stored else png.orientation
    notes = () if missing is None or missing == Missing(len(pixels), (1, 1)) else (TRUNCATED,)
    upright = np.ascontiguousarray(turned(pixels, orientation))
    return DecodedImage(upright, (*notes, *_not_shown(kind, upright)))


def _png_pixels(data: bytes, png: PNG, kind: Format) -> RGBImage:
    if png.header.depth == 16:
        wide = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
        if wide is not None:
            pixels = _from_opencv(wide)
            if wide.ndim == 2 and png.transparent_grey is not None:
                pixels[wide == png.transparent_grey] = 255
            return pixels
    image = kind.reader(io.BytesIO(data))
    image.load()
    return to_rgb(image)


def _without(pixels: RGBImage, missing: Missing) -> RGBImage:
    """Pixels of which some are missing: white below, repeated between."""
    down, across = missing.grid
    height, width = pixels.shape[:2]
    pixels = pixels[(np.arange(height) // down) * down][:, (np.arange(width) // across) * across]
    pixels[missing.rows :] = 255
    return pixels


def _read_tiff(data: bytes, max_pixels: int, *, as_stored: bool) -> RGBImage:
    tags = read_directory(data)
    width, height = tags.value(WIDTH), tags.value(HEIGHT)
    check_pixels(width, height, max_pixels)
    if width <= 0 or height <= 0:
        raise ValueError("no pixels")
    pixels = read_unusual(tags) if are_unusual(tags) else to_rgb(tags.page(PIXELS, {}))
    orientation = tags.value(ORIENTATION, UPRIGHT)
    known = orientation in range(1, 9) and not as_stored
    return np.ascontiguousarray(turned(pixels, orientation if known else UPRIGHT))


def _from_opencv(wide: npt.NDArray[Any]) -> RGBImage:
    """OpenCV's grey, BGR or BGRA samples of any depth, on white."""
    if wide.ndim == 2:
        return np.repeat(to_8_bits(wide)[..., None], 3, axis=2)
    rgb = to_8_bits(wide[..., 2::-1])
    if wide.shape[2] < 4:
        return rgb
    full = np.iinfo(wide.dtype).max if wide.dtype.kind in "ui" else 1
    alpha = wide[..., 3:].astype(np.float32) / full
    return (rgb * alpha + 255 * (1 - alpha) + 0.5).astype(np.uint8)


def _unreadable(data: bytes) -> ImageError:
    what = describe(data)
    found = format_of(data)
    advice = "convert it to PNG if it is an image" if what else "open it to see if it is damaged"
    if found is not None and found.name == "TIFF":
        advice += "; `edgeflow tile` makes PNG tiles of GeoTIFFs and whole-slide pictures"
    return ImageError(
        f"not a readable image ({what or 'damaged or of an unknown format'}, {len(data)} bytes)",
        hint=f"supported formats: {', '.join(FORMATS)}; {advice}",
    )
