"""A mask as the value of a Label Studio region: brush, bitmask, polygon or rectangle."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from edgeflow.arrays import BoolMask
from edgeflow.errors import MaskCodecError
from edgeflow.geometry import Box
from edgeflow.label_studio.brush_rle import encode_brush
from edgeflow.label_studio.values import JSONObject
from edgeflow.masks.patch import bounding_box
from edgeflow.masks.polygons import HolePolicy, mask_polygons

PNG_COMPRESSION = 1
"""Of 0 to 9: masks shrink well at any level, and 9 takes twenty times as long."""


@dataclass(frozen=True, slots=True)
class PolygonOptions:
    """How masks become polygons; see :func:`edgeflow.masks.polygons.mask_polygons`.

    Attributes:
        tolerance: image pixels.
        holes: what becomes of holes.
    """

    tolerance: float = 1.0
    holes: HolePolicy = "bridge"


def region_values(mask: BoolMask, tag: str, polygons: PolygonOptions) -> list[JSONObject]:
    """The values of the regions that show a mask; several only for polygons.

    Args:
        mask: H×W bool, not empty, at the size that the editor sees.
        tag: of the control that holds them, for example ``PolygonLabels``.
        polygons: for polygon controls.
    """
    make = _MAKERS[tag.removesuffix("Labels")]
    return make(mask, polygons)


def _brush(mask: BoolMask, _: PolygonOptions) -> list[JSONObject]:
    return [{"format": "rle", "rle": list(encode_brush(mask))}]


def _bitmask(mask: BoolMask, _: PolygonOptions) -> list[JSONObject]:
    pixels = np.zeros((*mask.shape, 4), dtype=np.uint8)
    pixels[mask] = 255
    written, png = cv2.imencode(".png", pixels, [cv2.IMWRITE_PNG_COMPRESSION, PNG_COMPRESSION])
    if not written:
        raise MaskCodecError(f"cannot write a PNG of shape {mask.shape}")
    return [{"imageDataURL": f"data:image/png;base64,{base64.b64encode(png.tobytes()).decode()}"}]


def _polygon(mask: BoolMask, options: PolygonOptions) -> list[JSONObject]:
    scale = 100 / np.array([mask.shape[1], mask.shape[0]], dtype=np.float64)
    found = mask_polygons(mask, tolerance=options.tolerance, holes=options.holes)
    return [{"points": ((points + 0.5) * scale).tolist(), "closed": True} for points in found]


def _rectangle(mask: BoolMask, _: PolygonOptions) -> list[JSONObject]:
    height, width = mask.shape
    box = bounding_box(mask) or Box(0, 0, 0, 0)
    rectangle = {
        "x": box.left * 100 / width,
        "y": box.top * 100 / height,
        "width": box.size.width * 100 / width,
        "height": box.size.height * 100 / height,
        "rotation": 0,
    }
    return [rectangle]


_MAKERS: dict[str, Callable[[BoolMask, PolygonOptions], list[JSONObject]]] = {
    "Brush": _brush,
    "Bitmask": _bitmask,
    "Polygon": _polygon,
    "Rectangle": _rectangle,
}
