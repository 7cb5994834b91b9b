"""Decoding: the one entrance for image bytes."""

from __future__ import annotations

import io
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps

from edgeflow.arrays import RGBImage
from edgeflow.errors import ImageError, ImageTooLargeError
from edgeflow.images.formats import FORMATS, MAX_PIXELS


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
    partial: bool = False,  # noqa: ARG001
) -> DecodedImage:
    """Decode an image as browsers show it.

    Args:
        data: Bytes of the file.
        max_pixels: Pixel cap, checked on the header before anything is decoded.
        as_stored: Whether to leave the image as it is stored, whatever its orientation says.
        partial: Whether a truncated JPEG or PNG is read as far as it goes, with a note.

    Raises:
        ImageTooLargeError: More than ``max_pixels``.
        ImageError: Not an image of a supported format, or damaged.
    """
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
        _check_pixels(image.width, image.height, max_pixels)
        image.load()
        return DecodedImage(np.array(_to_rgb(image if as_stored else _upright(image))))
    except ImageTooLargeError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large(str(error)) from error
    except Exception as error:  # decoders raise almost anything on damaged or hostile bytes
        raise ImageError(
            f"not a readable image ({_describe(data)}, {len(data)} bytes)",
            hint=f"supported formats: {', '.join(FORMATS)}; open the file to see if it is damaged",
        ) from error


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # noqa: BLE001 - damaged EXIF: browsers show such images as they are stored
        return image


def _check_pixels(width: int, height: int, max_pixels: int) -> None:
    if width * height > max_pixels:
        raise _too_large(f"the image has {width}×{height} pixels, the limit is {max_pixels}")


def _too_large(message: str) -> ImageTooLargeError:
    return ImageTooLargeError(message, hint="resize the image, or raise the pixel limit")


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16") or image.mode == "I":
        # 16-bit greys; Pillow's own conversion clips them to white instead of scaling.
        wide = np.asarray(image).astype(np.int64)
        grey = (np.clip(wide, 0, 65535) >> 8).astype(np.uint8)
        return Image.fromarray(grey).convert("RGB")
    if image.mode == "F":
        values = np.clip(np.nan_to_num(np.asarray(image)), 0.0, None)
        grey = (values / (values.max(initial=0.0) or 1.0) * 255).astype(np.uint8)
        return Image.fromarray(grey).convert("RGB")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    return image.convert("RGB")


def _describe(data: bytes) -> str:
    start = data[:256].lstrip().lower()
    if not start:
        return "it is empty"
    if start.startswith((b"<!doctype html", b"<html")):
        return "it is an HTML page, perhaps a login page"
    if start.startswith((b"{", b"[")):
        return "it looks like JSON"
    if start.startswith((b"<?xml", b"<svg")):
        return "it looks like XML or SVG"
    return "damaged or of an unknown format"
