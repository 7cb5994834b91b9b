"""One region of a Label Studio annotation to a mask."""

from __future__ import annotations

import base64
import binascii
import io
from typing import Literal, NamedTuple

import numpy as np
from PIL import Image

from edgeflow.arrays import BoolMask
from edgeflow.data.base import DatasetError
from edgeflow.errors import MaskCodecError
from edgeflow.geometry import Size
from edgeflow.label_studio.brush_rle import decode_brush
from edgeflow.masks.rasterize import rasterize

OPAQUE = 127
"""Alpha above which a brush's soft border counts as mask."""

MAX_PERCENT = 1000


class Region(NamedTuple):
    """Something drawn, not yet decoded.

    Attributes:
        kind: brush, bitmask or polygon.
        size: of the image that it was drawn on, if the export says so.
        content: brush RLE; the bytes of a PNG; or float64 pairs (x, y) in percent.
    """

    kind: Literal["brush", "bitmask", "polygon"]
    size: Size | None
    content: bytes


def read_region(result: object, source: str) -> Region | None:
    """A region of an annotation's ``result``; None for what has no exact outline.

    Args:
        result: parsed JSON, untrusted.
        source: for the message.

    Raises:
        DatasetError: it is a region whose value is not as Label Studio writes it.
    """
    kind = result.get("type") if isinstance(result, dict) else None
    if not isinstance(result, dict) or not isinstance(kind, str):
        raise DatasetError(f"{source}: a result without type", hint="export the project anew")
    value = result.get("value")
    size = _size(result.get("original_height"), result.get("original_width"))
    try:
        match kind.removesuffix("labels"):
            case "brush":
                return Region("brush", size, _bytes(value["rle"]))  # type: ignore[index]
            case "bitmask":
                return Region("bitmask", size, _png(value["imageDataURL"]))  # type: ignore[index]
            case "polygon":
                return Region("polygon", size, _corners(value["points"]))  # type: ignore[index]
    except (KeyError, TypeError, ValueError, OverflowError, binascii.Error) as error:
        raise DatasetError(
            f"{source}: a region of type {kind} that cannot be read ({type(error).__name__})",
            hint="delete the region in Label Studio, or draw it anew, and export again",
        ) from error
    return None


def decode_region(region: Region, size: Size) -> BoolMask:
    """A region's pixels, possibly none.

    Args:
        region: from :func:`read_region`.
        size: of its image.

    Returns:
        H×W bool.

    Raises:
        EdgeFlowError: its code is damaged or of another size.
    """
    match region.kind:
        case "brush":
            return decode_brush(region.content, size) > OPAQUE
        case "bitmask":
            return _opaque(region.content, size)
        case "polygon":
            percent = np.frombuffer(region.content).reshape(-1, 2)
            return rasterize(percent / 100 * (size.width, size.height) - 0.5, size)


def _size(height: object, width: object) -> Size | None:
    return Size(height, width) if isinstance(height, int) and isinstance(width, int) else None


def _bytes(code: object) -> bytes:
    if not isinstance(code, list):  # bytes(10**10) would be ten gigabytes
        raise TypeError
    return bytes(code)


def _png(url: object) -> bytes:
    head, _, payload = str(url).partition(",")
    if head != "data:image/png;base64":
        raise ValueError
    return base64.b64decode(payload, validate=True)


def _corners(points: object) -> bytes:
    corners = np.array(points, dtype=np.float64)
    if corners.ndim != 2 or corners.shape[1] != 2 or not (np.abs(corners) <= MAX_PERCENT).all():
        raise ValueError
    return corners.tobytes()


def _opaque(data: bytes, size: Size) -> BoolMask:
    """The alpha channel of a PNG."""
    try:
        with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
            fits = (image.height, image.width) == size
            alpha = np.asarray(image.convert("RGBA"))[:, :, 3] if fits else None
    except Exception as error:  # decoders raise almost anything on damaged or hostile bytes
        raise MaskCodecError("its bitmask is not a readable PNG") from error
    if alpha is None:
        raise MaskCodecError(f"its bitmask is not of {size.width}×{size.height} pixels")
    mask: BoolMask = alpha > OPAQUE
    return mask
