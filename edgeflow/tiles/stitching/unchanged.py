"""Shapes of a layer that a picture was tiled with, where nobody changed what was made of them."""

from __future__ import annotations

import numpy as np
import shapely
from shapely.geometry import MultiPolygon
from shapely.geometry.base import BaseGeometry

from edgeflow.arrays import BoolMask
from edgeflow.errors import PolygonError
from edgeflow.geometry import Box
from edgeflow.tiles.sidecar import TileSet
from edgeflow.tiles.stitching.objects import StitchedObject
from edgeflow.tiles.stitching.outlines import as_polygons
from edgeflow.tiles.vectors.layer import Layer
from edgeflow.tiles.vectors.objects import PicturesShapes, drawn, frame_of

LARGER = 4
"""How many times as large as an object's box that of a shape may be which is compared with it."""


class UnchangedShapes:
    """The shapes of a layer, found by the pixels that they cover.

    Masks have stairs where a map has straight lines. An object with exactly the pixels of a shape
    says nothing against the shape's own outline, which is finer than they are.

    Args:
        layer: With the shapes.
        tiles: The picture's.

    Attributes:
        name: Of the layer.

    Raises:
        TilesError: Where the layer lies on the picture is not known.
    """

    def __init__(self, layer: Layer, tiles: TileSet) -> None:
        self.name = layer.name
        self._shapes = PicturesShapes.of(layer, tiles)
        self._picture = Box.whole(tiles.size)
        self._window = shapely.box(0, 0, tiles.size.width, tiles.size.height)

    def outline(self, each: StitchedObject) -> MultiPolygon | None:
        """The first shape that has just the pixels of an object; None if none has.

        Returns:
            The part of it on the picture, in pixels from its top left corner.
        """
        for shape in self._shapes.near(each.box):
            if self._has_pixels(shape, each):
                return as_polygons(shapely.intersection(shapely.make_valid(shape), self._window))
        return None

    def _has_pixels(self, shape: BaseGeometry, each: StitchedObject) -> bool:
        frame = frame_of(shape).intersection(self._picture)
        height, width = each.box.size
        too_large = frame.area > LARGER * (height + 2) * (width + 2)
        if too_large or frame.intersection(each.box) != each.box:
            return False
        try:
            return all(_covers(shape, *strip) for strip in each.strips(frame))
        except PolygonError:  # too complex to be drawn
            return False


def _covers(shape: BaseGeometry, place: Box, pixels: BoolMask) -> bool:
    """Whether a shape covers just the given pixels of a place."""
    inside = np.zeros_like(pixels)
    part = drawn(shape, place)
    if part is not None:
        inside[part.box.slices] = part.pixels
    return np.array_equal(inside, pixels)
