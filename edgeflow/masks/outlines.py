"""Outlines to masks as other tools fill them: with every pixel that the outline passes.

Points are pixels, counted from (0, 0) at the top left; what is behind the decimal point is dropped,
as those tools drop it. For outlines between pixels see :mod:`edgeflow.masks.rasterize`.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from edgeflow.arrays import BoolMask, Polygon
from edgeflow.errors import PolygonError
from edgeflow.geometry import Size

MAX_LENGTH = 10_000_000
"""Pixels that an outline may pass; OpenCV and Pillow visit each."""

MAX_WORK = 2_000_000_000
"""Sum over the rows of the squared number of edges that cross a row: OpenCV sorts the edges of each
row by insertion, in up to 5 s for so many; an outline made for it would take hours."""

_COORDINATE_LIMIT = 1e6


def fill_as_opencv(outline: Polygon, size: Size) -> BoolMask:
    """Fill an outline by ``cv2.fillPoly``, as Ultralytics does for YOLO, and EISeg.

    Args:
        outline: N×2 (x, y), closed or not; may leave the image. Fewer than three points enclose
            nothing.
        size: Image size.

    Returns:
        H×W bool.

    Raises:
        PolygonError: Points that are not numbers or are far off the image, or a hostile length.
    """
    mask = np.zeros(size, dtype=np.uint8)
    pixels = _pixels(outline)
    if len(pixels) >= 3:
        cv2.fillPoly(mask, [pixels], color=1)
    return mask.view(np.bool_)


def fill_as_pillow(outline: Polygon, size: Size) -> BoolMask:
    """Fill an outline by ``ImageDraw.polygon``, as labelme does; else as :func:`fill_as_opencv`."""
    pixels = _pixels(outline)
    image = Image.new("L", (size.width, size.height))
    if len(pixels) >= 3:
        ImageDraw.Draw(image).polygon(list(map(tuple, pixels.tolist())), fill=1, outline=1)
    return np.array(image, dtype=np.uint8).view(np.bool_)


def fill_circle(centre: Polygon, radius: float, size: Size) -> BoolMask:
    """Fill a circle by ``ImageDraw.ellipse``, as labelme does.

    Args:
        centre: (x, y).
        radius: In pixels.
        size: Image size.

    Raises:
        PolygonError: It is far off the image.
    """
    low, high = _pixels(np.stack((centre - radius, centre + radius))).tolist()
    image = Image.new("L", (size.width, size.height))
    ImageDraw.Draw(image).ellipse((*low, *high), fill=1, outline=1)
    return np.array(image, dtype=np.uint8).view(np.bool_)


def _pixels(outline: Polygon) -> npt.NDArray[np.int32]:
    if not (np.abs(outline) <= _COORDINATE_LIMIT).all():
        raise PolygonError("the outline has points that are not numbers, or are far off the image")
    pixels = outline.astype(np.int32)
    following = np.roll(pixels, -1, axis=0)
    length = int(np.abs(following - pixels).max(axis=1, initial=0).sum())
    if length > MAX_LENGTH:
        raise PolygonError(f"the outline is {length} pixels long, more than {MAX_LENGTH}")
    if len(pixels):
        rows = np.stack((pixels[:, 1], following[:, 1])) - pixels[:, 1].min()
        last = int(rows.max()) + 1
        begun, ended = (np.bincount(end(axis=0), minlength=last) for end in (rows.min, rows.max))
        crossing = np.cumsum(begun - ended)
        if float(crossing @ crossing) > MAX_WORK:
            raise PolygonError(f"the outline crosses a row up to {crossing.max()} times")
    return pixels
