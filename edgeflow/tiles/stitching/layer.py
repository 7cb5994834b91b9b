"""Objects as the rows of a vector layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry import MultiPolygon

from edgeflow.data.left_out import LeftOut
from edgeflow.export.classes import Classes
from edgeflow.tiles.errors import TilesError
from edgeflow.tiles.stitching.earth import WGS84, Areas, crs_of, cut_at_antimeridian, to_degrees
from edgeflow.tiles.stitching.objects import Stitched, StitchedObject
from edgeflow.tiles.stitching.outlines import moved, outline, simplified
from edgeflow.tiles.stitching.unchanged import UnchangedShapes

FIELDS = ("id", "label", "class_id", "area_m2", "tiles")
ANNOTATORS = "annotators"
"""The columns; the last one where it is asked for."""

SEPARATOR = ","


@dataclass
class Layer:
    """A vector layer.

    Attributes:
        crs: Of its coordinates, as WKT or a code; None for pixels, or a map without one.
        geometries: Of each row.
        columns: Values of each row by the column's name: int32, float64 (NaN where there is no
            value) or text.
        left_out: Objects that it has no place for.
    """

    crs: str | None
    geometries: list[MultiPolygon] = field(default_factory=list)
    columns: dict[str, npt.NDArray[np.generic]] = field(default_factory=dict)
    left_out: list[LeftOut] = field(default_factory=list)

    def wkb(self) -> npt.NDArray[np.object_]:
        """The geometries in OGC's binary form."""
        return np.array([shapely.to_wkb(each) for each in self.geometries], dtype=np.object_)


class Outlined:
    """A picture's objects with their outlines and areas, made once for all layers.

    Args:
        stitched: The picture's objects.
        classes: Their classes.
        annotators: Whether rows tell whose annotations they are of.
        unchanged: Shapes that are taken for outlines where an object has their pixels.

    Attributes:
        kept: How many outlines are such shapes.
    """

    def __init__(
        self,
        stitched: Stitched,
        classes: Classes,
        *,
        annotators: bool = False,
        unchanged: UnchangedShapes | None = None,
    ) -> None:
        self._stitched, self._classes, self._annotators = stitched, classes, annotators
        self._place = stitched.tiles.georeference
        areas = Areas(self._place, stitched.tiles.size)
        self._pixels: list[MultiPolygon] = []
        self._areas: list[float | None] = []
        self.kept = 0
        for each in stitched.objects:
            shape = None if unchanged is None else unchanged.outline(each)
            self.kept += shape is not None
            geometry = outline(each) if shape is None else shape
            self._pixels.append(geometry)
            self._areas.append(areas.of(each.pixels if shape is None else shape.area, geometry))

    def layer(self, *, degrees: bool = False, tolerance: float = 0) -> Layer:
        """Their layer.

        Args:
            degrees: Whether coordinates are longitude and latitude (WGS84), and not the map's.
            tolerance: How far outlines may move to have fewer points, in units of the map.

        Raises:
            TilesError: The picture's CRS cannot be read, or degrees are asked for, and it has none.
        """
        crs = crs_of(self._place)
        layer = Layer(WGS84 if degrees else (crs.to_wkt() if crs is not None else None))
        kept: list[tuple[StitchedObject, float | None]] = []
        for each, pixels, area in zip(
            self._stitched.objects, self._pixels, self._areas, strict=True
        ):
            geometry = simplified(moved(pixels, self._place.to_map), tolerance)
            if degrees:
                try:
                    geometry = cut_at_antimeridian(to_degrees(geometry, self._place))
                except TilesError as error:
                    if crs is None:
                        raise
                    fault = f"object {each.number} of {self._stitched.tiles.source}"
                    layer.left_out.append(LeftOut(f"{error.message}; {error.hint}", fault))
                    continue
            layer.geometries.append(geometry)
            kept.append((each, area))
        layer.columns = self._columns(kept)
        return layer

    def _columns(
        self, rows: Sequence[tuple[StitchedObject, float | None]]
    ) -> dict[str, npt.NDArray[np.generic]]:
        classes, tiles = self._classes, self._stitched.tiles.tiles
        columns: dict[str, npt.NDArray[np.generic]] = {
            "id": np.array([each.number for each, _ in rows], dtype=np.int32),
            "label": _texts([classes.name(each.label) for each, _ in rows]),
            "class_id": np.array([classes.number(each.label) for each, _ in rows], dtype=np.int32),
            "area_m2": np.array(
                [np.nan if area is None else area for _, area in rows], dtype=np.float64
            ),
            "tiles": _texts(
                [
                    SEPARATOR.join(
                        tiles[tile].name for tile in sorted({p.tile for p in each.pieces})
                    )
                    for each, _ in rows
                ]
            ),
        }
        if self._annotators:
            columns[ANNOTATORS] = _texts(
                [
                    SEPARATOR.join(sorted({name for piece in each.pieces for name in piece.by}))
                    for each, _ in rows
                ]
            )
        return columns


def _texts(values: Sequence[str]) -> npt.NDArray[np.object_]:
    return np.array(values, dtype=np.object_)
