"""Region values to masks: what a brush, bitmask, polygon or rectangle region covers.

Parsing and rendering are apart, since a value must be checked where it is read, and its mask may
never be needed. Values are untrusted.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
from pydantic import ValidationError

from edgeflow.arrays import BoolMask
from edgeflow.errors import MaskCodecError
from edgeflow.geometry import Size
from edgeflow.label_studio.bitmask_png import OPAQUE, decode_bitmask
from edgeflow.label_studio.brush_rle import decode_brush
from edgeflow.label_studio.shapes import corners
from edgeflow.label_studio.touches import Stroke, draw_strokes, parse_touches
from edgeflow.label_studio.values import PERCENT_LIMIT, JSONObject, RectangleValue
from edgeflow.masks.rasterize import rasterize

PNG_HEAD = "data:image/png;base64"


class ParsedValue(Protocol):
    """A region's value, checked, but not rendered yet."""

    def mask(self, size: Size) -> BoolMask:
        """What it covers of an image of ``size``: H×W bool, possibly empty.

        Raises:
            MaskCodecError: Its code is damaged, or made for another size.
            PolygonError: It is too complex.
        """
        ...


@dataclass(frozen=True)
class BrushCode:
    """Brush RLE, and strokes that are not rendered into it yet; hand-drawn drafts have no code."""

    rle: bytes
    strokes: tuple[Stroke, ...] = ()

    def mask(self, size: Size) -> BoolMask:
        """Decode the code and draw the strokes; see :class:`ParsedValue`."""
        if self.rle or not self.strokes:
            rendered = decode_brush(self.rle, size) > OPAQUE
        else:
            rendered = np.zeros(size, dtype=np.bool_)
        return draw_strokes(rendered, self.strokes) if self.strokes else rendered


@dataclass(frozen=True)
class BitmaskPNG:
    """A PNG whose alpha channel is the mask."""

    png: bytes

    def mask(self, size: Size) -> BoolMask:
        """Decode the PNG; see :class:`ParsedValue`."""
        return decode_bitmask(self.png, size)


@dataclass(frozen=True, eq=False)
class PolygonCorners:
    """N×2 float64 corners (x, y) in percent."""

    percent: npt.NDArray[np.float64]

    def mask(self, size: Size) -> BoolMask:
        """Fill the polygon; see :class:`ParsedValue`."""
        scale = np.array([size.width, size.height], dtype=np.float64) / 100
        return rasterize(self.percent * scale - 0.5, size)


@dataclass(frozen=True)
class RectangleArea:
    """A rectangle, perhaps turned."""

    value: RectangleValue

    def mask(self, size: Size) -> BoolMask:
        """Fill the rectangle; see :class:`ParsedValue`."""
        return rasterize(corners(self.value, size), size)


def parse_brush(value: JSONObject) -> BrushCode:
    """Read a brush region's value.

    Raises:
        MaskCodecError: It is not of Label Studio's form.
    """
    rle, touches = value.get("rle"), value.get("touches")
    if rle is None and not touches:
        raise MaskCodecError("a brush region without `rle`")
    if rle is not None and not isinstance(rle, list):  # bytes(10**10) would be ten gigabytes
        raise MaskCodecError("a brush region whose `rle` is not a list")
    try:
        code = bytes(rle or ())
    except (TypeError, ValueError) as error:
        raise MaskCodecError("a brush RLE is a list of integers 0 to 255") from error
    return BrushCode(code, parse_touches(touches) if touches else ())


def parse_bitmask(value: JSONObject) -> BitmaskPNG:
    """Read a bitmask region's value.

    Raises:
        MaskCodecError: It is not an inline PNG.
    """
    head, _, payload = str(value.get("imageDataURL")).partition(",")
    try:
        png = base64.b64decode(payload, validate=True)
    except (binascii.Error, ValueError) as error:
        raise MaskCodecError("a bitmask region whose `imageDataURL` is not base64") from error
    if head != PNG_HEAD:
        raise MaskCodecError("a bitmask region without an inline PNG")
    return BitmaskPNG(png)


def parse_polygon(value: JSONObject) -> PolygonCorners:
    """Read a polygon region's value.

    Raises:
        MaskCodecError: It is not a list of points near the image.
    """
    try:
        points = np.array(value.get("points"), dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise MaskCodecError("a polygon region whose `points` are not numbers") from error
    if points.ndim != 2 or points.shape[1] != 2 or not (np.abs(points) <= PERCENT_LIMIT).all():
        raise MaskCodecError("a polygon region whose `points` are not pairs of percentages")
    return PolygonCorners(points)


def parse_rectangle(value: JSONObject) -> RectangleArea:
    """Read a rectangle region's value.

    Raises:
        MaskCodecError: It is not of Label Studio's form.
    """
    try:
        return RectangleArea(RectangleValue.model_validate(value))
    except ValidationError as error:
        raise MaskCodecError("a rectangle region of an unknown form") from error
