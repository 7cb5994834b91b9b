"""Shapes of a map on the pixels of a picture."""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt
import shapely
from rasterio.crs import CRS
from rasterio.errors import RasterioError
from rasterio.warp import transform

from edgeflow.errors import brief
from edgeflow.tiles.errors import TilesError
from edgeflow.tiles.georeference import Georeference
from edgeflow.tiles.vectors.layer import Geometries, Layer

_CODE = re.compile(r"[A-Z]{3,9}:\w{1,12}")
_STAY = (0.0, 0.0)
_TURNS = (_STAY, (360.0, 0.0), (-360.0, 0.0))
"""Degrees by which longitudes, and latitudes, may differ that mean one place."""


def pixel_shapes(layer: Layer, place: Georeference, picture: str) -> list[Geometries]:
    """The layer's shapes in the picture's pixels, from its top left corner.

    Corners are taken over, and edges stay straight.

    Args:
        layer: The shapes.
        place: The picture's.
        picture: What messages call it.

    Returns:
        The shapes as they lie; in degrees, also a turn further to the east and to the west, for
        pictures across the antimeridian. Corners that the picture's CRS cannot show are infinite.

    Raises:
        TilesError: One of both names no CRS.
    """
    points = shapely.get_coordinates(layer.geometries)
    turns: tuple[tuple[float, float], ...] = (_STAY,)
    if place.crs is not None and layer.crs is not None:
        ours = _crs(place.crs, picture)
        points = _moved(points, _crs(layer.crs, layer.name), ours)
        turns = _TURNS if ours.is_geographic else turns
    elif place.crs is not None or layer.crs is not None:
        bare, other = (picture, layer.name) if place.crs is None else (layer.name, picture)
        raise TilesError(
            f"{bare} names no coordinate reference system, and {other} does: where the one lies "
            "on the other is not known",
            hint="give it its own, for example with `gdal_edit.py -a_srs EPSG:CODE FILE` or "
            "`ogr2ogr -a_srs EPSG:CODE OUT FILE`",
        )
    return [
        shapely.set_coordinates(layer.geometries.copy(), place.to_pixels(points + np.array(turn)))
        for turn in turns
    ]


def _moved(points: npt.NDArray[np.float64], crs: CRS, into: CRS) -> npt.NDArray[np.float64]:
    if crs == into or not len(points):
        return points
    try:
        xs, ys = transform(crs, into, points[:, 0], points[:, 1])
    except (RasterioError, ValueError) as error:
        raise TilesError(
            f"the shapes cannot be brought into the picture's CRS: {brief(error, 200)}",
            hint="reproject them first, for example with `ogr2ogr -t_srs`",
        ) from error
    return np.stack([np.asarray(xs), np.asarray(ys)], axis=1)


def _crs(text: str, name: str) -> CRS:
    """A CRS of a code or WKT alone: GDAL would also take files and URLs."""
    try:
        return CRS.from_string(text) if _CODE.fullmatch(text) else CRS.from_wkt(text)
    except (RasterioError, ValueError) as error:
        raise TilesError(
            f"the coordinate reference system of {name} is not known: {brief(error, 200)}",
            hint="reproject it into one with an EPSG code",
        ) from error
