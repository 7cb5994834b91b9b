"""Masks to polygons without holes.

Points are (x, y) in the frame of ``edgeflow.geometry.ImagePoint``: pixel (0, 0) has its centre at
(0, 0), so an image of width W spans -0.5 to W - 0.5. Lengths are pixels, areas square pixels.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
import shapely

from edgeflow.arrays import BoolMask, Polygon
from edgeflow.errors import PolygonError
from edgeflow.masks.patch import bounding_box
from edgeflow.masks.polygon_holes import bridge, split
from edgeflow.masks.rings import assemble, select, trace
from edgeflow.masks.simplify import simplified

HolePolicy: TypeAlias = Literal["bridge", "split", "fill"]


def mask_polygons(
    mask: BoolMask, *, tolerance: float, holes: HolePolicy = "bridge", min_area: float = 0.0
) -> list[Polygon]:
    """Outline every object of a mask.

    Each polygon is simple (no edge touches another except its neighbours) and has a positive area.
    Pixels that touch at a corner only are one object; an object in a hole of another is an object
    of its own. Simplified outlines of different objects may overlap by up to ``tolerance``.

    Args:
        mask: H×W bool.
        tolerance: How far, in pixels, a simplified outline may leave the exact one, and the
            reverse; 0 keeps the exact one. Small and thin objects and holes use less, a sixteenth
            of their mean thickness (twice the area over the perimeter), so that none loses its
            shape or vanishes, whatever the tolerance.
        holes: Policy: "bridge" opens each hole to the outside, or to a hole already open, by a slit
            at most a quarter of a pixel wide where the way is shortest, so that an object stays
            one polygon; "split" cuts an object along straight lines through its holes into polygons
            that touch but do not overlap; "fill" fills holes and all that lies in them.
        min_area: Pixels of the smallest object to outline, and of the smallest hole not to fill.

    Returns:
        Polygons as N×2 float64 (x, y), N ≥ 3, the first point not repeated at the end, inside the
        image's borders; the object with most pixels first. Of more than ``MAX_PARTS`` objects or
        ``MAX_HOLES`` holes in all, the largest are kept. Empty for an empty mask.

    Raises:
        PolygonError: Not a 2-D mask, a negative or unknown option, or more than ``MAX_BORDER``
            pixel edges between object and background.
    """
    if mask.ndim != 2 or mask.dtype != np.bool_:
        raise PolygonError(f"cannot outline a {mask.dtype} mask of shape {mask.shape}")
    if not tolerance >= 0:
        raise PolygonError(f"the tolerance must be 0 or more pixels, not {tolerance}")
    if holes not in {"bridge", "split", "fill"}:
        raise PolygonError(f'holes can be "bridge", "split" or "fill", not "{holes}"')
    if not min_area >= 0:
        raise PolygonError(f"the smallest area must be 0 or more pixels, not {min_area}")
    box = bounding_box(mask)
    if box is None:
        return []
    rings = select(trace(mask, box, filled=holes == "fill"), min_area)
    if not len(rings.part):
        return []
    parts = assemble(rings, simplified(rings, tolerance))
    opened = bridge if holes == "bridge" else split
    return [
        shapely.get_coordinates(piece)[:-1]
        for part in parts
        for piece in (opened(part) if part.interiors else [part])
    ]
