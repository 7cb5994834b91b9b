"""Masks to region values: brush, bitmask, polygon and rectangle.

Each function takes a mask, not empty, at the size that the editor sees, and gives the values of the
regions that show it: one, or for polygons perhaps several.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edgeflow.label_studio.bitmask_png import encode_bitmask
from edgeflow.label_studio.brush_rle import encode_brush_patch
from edgeflow.label_studio.values import JSONObject
from edgeflow.masks.patch import MaskPatch

if TYPE_CHECKING:
    from edgeflow.masks.polygons import HolePolicy


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
    png = base64.b64encode(encode_bitmask(mask)).decode()
    return [{"imageDataURL": f"data:image/png;base64,{png}"}]


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
