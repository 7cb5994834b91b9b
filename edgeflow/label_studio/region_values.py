"""Masks to region values: brush, bitmask, polygon and rectangle.

Each function takes a mask, not empty, at the size that the editor sees, and gives the values of the
regions that show it: one, or for polygons perhaps several.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from edgeflow.errors import MaskCodecError
from edgeflow.label_studio.brush_rle import encode_brush_patch
from edgeflow.label_studio.values import JSONObject
from edgeflow.masks.patch import MaskPatch

if TYPE_CHECKING:
    from edgeflow.masks.polygons import HolePolicy

PNG_COMPRESSION = 1
"""Of 0 to 9: masks shrink well at any level, and 9 takes twenty times as long."""


@dataclass(frozen=True, slots=True)
class PolygonOptions:
    """How masks become polygons; see :func:`edgeflow.masks.polygons.mask_polygons`.

    Attributes:
        tolerance: How far a polygon may leave the mask's border, in image pixels.
        holes: What becomes of holes.
    """

    tolerance: float = 1.0
    holes: HolePolicy = "bridge"


def brush_values(mask: MaskPatch, _: PolygonOptions) -> list[JSONObject]:
    """Brush RLE."""
    return [{"format": "rle", "rle": list(encode_brush_patch(mask))}]


def bitmask_values(mask: MaskPatch, _: PolygonOptions) -> list[JSONObject]:
    """An inline PNG, opaque where the mask is."""
    pixels = np.zeros((*mask.image_size, 4), dtype=np.uint8)  # zero pages take no memory
    pixels[mask.box.slices][mask.pixels] = 255
    written, png = cv2.imencode(".png", pixels, [cv2.IMWRITE_PNG_COMPRESSION, PNG_COMPRESSION])
    if not written:
        raise MaskCodecError(f"cannot write a PNG of shape {tuple(mask.image_size)}")
    return [{"imageDataURL": f"data:image/png;base64,{base64.b64encode(png.tobytes()).decode()}"}]


def polygon_values(mask: MaskPatch, options: PolygonOptions) -> list[JSONObject]:
    """Closed polygons."""
    # Only who answers with polygons pays for importing Shapely; readers of exports do without.
    from edgeflow.masks.polygons import mask_polygons  # noqa: PLC0415

    scale = 100 / np.array(mask.image_size[::-1], dtype=np.float64)
    polygons = mask_polygons(mask.whole(), tolerance=options.tolerance, holes=options.holes)
    return [{"points": ((points + 0.5) * scale).tolist(), "closed": True} for points in polygons]


def rectangle_values(mask: MaskPatch, _: PolygonOptions) -> list[JSONObject]:
    """The bounding box."""
    x, y, width, height = mask.percent_box
    return [{"x": x, "y": y, "width": width, "height": height, "rotation": 0}]
