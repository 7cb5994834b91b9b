"""Outlines of objects along the borders of their pixels, as valid polygons with their holes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import rasterio.features
import shapely
from affine import Affine
from shapely.geometry import MultiPolygon, Polygon
from shapely.geometry.polygon import orient

from edgeflow.arrays import BoolMask
from edgeflow.geometry import Box
from edgeflow.tiles.stitching.objects import StitchedObject

Points = npt.NDArray[np.float64]
"""N×2 (x, y)."""


def outline(each: StitchedObject) -> MultiPolygon:
    """An object's outline, in pixels from the picture's top left corner, x to the right and y down.

    It runs along pixel borders, so its area is the object's number of pixels. Pixels that touch at
    a corner alone are parts of their own.
    """
    strips = [list(_polygons(pixels, place)) for place, pixels in each.strips()]
    if len(strips) == 1:
        return as_polygons(MultiPolygon(strips[0]))
    whole = shapely.unary_union([part for strip in strips for part in strip])
    return as_polygons(shapely.simplify(whole, 0))  # without the points where strips met


def _polygons(pixels: BoolMask, place: Box) -> Iterator[Polygon]:
    found = rasterio.features.shapes(
        pixels.view(np.uint8),
        mask=pixels,
        connectivity=4,
        transform=Affine.translation(place.left, place.top),
    )
    for geometry, _ in found:
        shell, *holes = geometry["coordinates"]
        yield Polygon(shell, holes)


def moved(geometry: MultiPolygon, move: Callable[[Points], Points]) -> MultiPolygon:
    """Polygons with all their points moved, valid, shells anticlockwise where y is up."""
    return as_polygons(shapely.transform(geometry, move))


def as_polygons(geometry: Any) -> MultiPolygon:  # noqa: ANN401 - shapely's geometries have no types
    """A valid geometry of polygons alone, shells anticlockwise and holes clockwise."""
    if not geometry.is_valid:
        geometry = shapely.make_valid(geometry)
    return MultiPolygon([orient(part) for part in _parts(geometry)])


def _parts(geometry: Any) -> Iterable[Polygon]:  # noqa: ANN401
    """Its polygons with an area; lines and points that making it valid has left are dropped."""
    for part in shapely.get_parts(shapely.get_parts(geometry)):
        if isinstance(part, Polygon) and part.area > 0:
            yield part


def simplified(geometry: MultiPolygon, tolerance: float) -> MultiPolygon:
    """Polygons of fewer points, as valid as before, and none less.

    Args:
        geometry: Of any units.
        tolerance: How far outlines may move, in its units; 0 leaves them.
    """
    if not tolerance:
        return geometry
    return as_polygons(shapely.simplify(geometry, tolerance, preserve_topology=True))
