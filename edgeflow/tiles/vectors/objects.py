"""Shapes as the objects of tiles, cut at their borders."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from edgeflow.arrays import BoolMask
from edgeflow.data.left_out import LeftOut
from edgeflow.errors import PolygonError
from edgeflow.geometry import Box, Size
from edgeflow.masks.patch import MaskPatch
from edgeflow.masks.rasterize import MAX_POINTS, rasterize
from edgeflow.preannotation.regions import MaskedObject
from edgeflow.preannotation.tasks import Report
from edgeflow.tiles.sidecar import TileSet
from edgeflow.tiles.vectors.layer import Geometries, Layer
from edgeflow.tiles.vectors.placing import pixel_shapes

FAR = 500_000
"""Pixels beyond which a shape is cut near the tile before it is drawn."""

SMALL = 4096
"""Pixels of a bounding box in which it is looked for whether a shape covers any."""


class PicturesShapes:
    """The shapes on a picture.

    Args:
        layer: With their labels.
        turned: In the picture's pixels, as :func:`edgeflow.tiles.vectors.placing.pixel_shapes`
            has them.
        size: The picture's.

    Attributes:
        left_out: What of the layer is on no tile.
    """

    def __init__(self, layer: Layer, turned: list[Geometries], size: Size) -> None:
        self.left_out = list(layer.left_out)
        whole = np.array([0.0, 0.0, size.width, size.height])
        kept: list[int] = []
        shapes = []
        for number, key in enumerate(layer.keys):
            versions = [each[number] for each in turned]
            bounds = [np.array(each.bounds) for each in versions]
            if not np.isfinite(bounds[0]).all():
                where = f"{layer.name}, {key}"
                self.left_out.append(LeftOut("the picture's CRS cannot show its corners", where))
                continue
            on = [
                version
                for version, (left, top, right, bottom) in zip(versions, bounds, strict=True)
                if left < whole[2] and top < whole[3] and right > 0 and bottom > 0
            ]
            if not on:
                self.left_out.append(LeftOut("shapes outside the picture"))
            elif _covers_nothing(on[0]):
                self.left_out.append(LeftOut("shapes between the centres of pixels"))
            else:
                kept.append(number)
                shapes.append(on[0])
        self._keys = [layer.keys[number] for number in kept]
        self._labels = [layer.labels[number] for number in kept]
        self._shapes = shapes
        self._tree = shapely.STRtree(shapes)

    @classmethod
    def of(cls, layer: Layer, tiles: TileSet) -> PicturesShapes:
        """A layer's shapes on a picture.

        Raises:
            TilesError: Layer or picture names no CRS, and the other does.
        """
        turned = pixel_shapes(layer, tiles.georeference, tiles.source)
        return cls(layer, turned, tiles.size)

    def __len__(self) -> int:
        return len(self._keys)

    def beside(self, boxes: Iterable[Box]) -> int:
        """How many shapes lie on none of some windows, as far as bounding boxes tell."""
        tree = shapely.STRtree(
            [shapely.box(box.left, box.top, box.right, box.bottom) for box in boxes]
        )
        return len(self) - len(np.unique(tree.query(self._shapes)[0])) if len(self) else 0

    def near(self, box: Box) -> Iterator[BaseGeometry]:
        """Shapes whose bounding boxes meet a window of the picture, in the layer's order."""
        window = shapely.box(box.left, box.top, box.right, box.bottom)
        for number in sorted(self._tree.query(window).tolist()):
            yield self._shapes[number]

    def objects(self, box: Box, report: Report, where: str) -> list[MaskedObject]:
        """What lies on a tile, in the layer's order.

        A pixel belongs to a shape if its centre does, so neighbouring tiles agree.

        Args:
            box: The tile's window.
            report: Told of shapes that cannot be drawn.
            where: What it calls the tile.
        """
        window = shapely.box(box.left, box.top, box.right, box.bottom)
        found = []
        for number in sorted(self._tree.query(window).tolist()):
            key, label = self._keys[number], self._labels[number]
            try:
                mask = drawn(self._shapes[number], box)
            except PolygonError as error:
                report.lose(error.message, f"{where}, {key}")
                continue
            if mask is not None and not mask.empty:
                labels = () if label is None else (label,)
                found.append(MaskedObject(key, labels, mask, meta={"feature": key}))
        return found


def _covers_nothing(shape: BaseGeometry) -> bool:
    left, top, right, bottom = shape.bounds
    if (right - left + 2) * (bottom - top + 2) > SMALL:
        return False
    frame = Box(int(top) - 1, int(left) - 1, int(bottom) + 2, int(right) + 2)
    part = drawn(shape, frame)
    return part is None or part.empty


def drawn(shape: BaseGeometry, box: Box) -> MaskPatch | None:
    """The part of a shape on a tile; None if its bounding box misses it.

    Args:
        shape: One polygon or several, in the picture's pixels.
        box: The tile's window.

    Returns:
        A mask of the window: pixels whose centre lies in the shape.

    Raises:
        PolygonError: It is too complex.
    """
    if np.abs(shape.bounds).max() > FAR or shapely.get_num_coordinates(shape) > MAX_POINTS // 2:
        # Two pixels beyond the tile, where no centre is.
        shape = shapely.clip_by_rect(
            shapely.make_valid(shape), box.left - 2, box.top - 2, box.right + 2, box.bottom + 2
        )
        if shape.is_empty:
            return None
    frame = frame_of(shape).intersection(box)
    if not frame.area:
        return None
    mask = np.zeros(frame.size, dtype=np.bool_)
    for part in shapely.get_parts(shape):
        if part.geom_type == "Polygon":
            mask |= _filled(part, frame)
    return MaskPatch.within_frame(mask, frame.shifted(-box.top, -box.left), box.size)


def frame_of(shape: BaseGeometry) -> Box:
    """A box of pixels outside which no centre lies in a shape."""
    left, top, right, bottom = (round(each) for each in shape.bounds)
    return Box(top - 1, left - 1, bottom + 1, right + 1)


def _filled(polygon: shapely.Polygon, frame: Box) -> BoolMask:
    inside = np.zeros(frame.size, dtype=np.bool_)
    # From corners of pixels to their centres.
    first = np.array([frame.left + 0.5, frame.top + 0.5])
    for ring in (polygon.exterior, *polygon.interiors):
        inside ^= rasterize(shapely.get_coordinates(ring) - first, frame.size)
    return inside
