"""Longitude and latitude, and areas on the ground."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import rasterio.warp
import shapely
from affine import Affine
from rasterio._err import CPLE_BaseError
from rasterio.crs import CRS
from rasterio.errors import CRSError, RasterioError
from shapely import affinity
from shapely.geometry import MultiPolygon, Polygon, box

from edgeflow.geometry import Size
from edgeflow.tiles.errors import TilesError
from edgeflow.tiles.georeference import Georeference
from edgeflow.tiles.stitching.outlines import Points, as_polygons, moved

WGS84 = "EPSG:4326"
EQUAL_AREA = "EPSG:6933"
"""Cylindrical: x depends on the longitude alone, y on the latitude."""

FAULTS = (RasterioError, CRSError, CPLE_BaseError)
"""Of transformations; rasterio lets some of GDAL's own through."""

STRETCHED = 0.01
"""By how much a map's areas may differ from those on the ground, and still be told."""

EDGE = 64
"""Longest straight piece of an outline, in pixels: lines of a map are curves in degrees."""


def crs_of(place: Georeference) -> CRS | None:
    """A picture's coordinate reference system; None without one, or without a transform.

    Raises:
        TilesError: It is not one that PROJ knows.
    """
    if place.crs is None or place.transform is None:
        return None
    try:
        return CRS.from_wkt(place.crs)
    except CRSError as error:
        raise TilesError(
            f"the coordinate reference system cannot be read: {error}",
            hint="give the picture another one, for instance with gdal_edit.py -a_srs",
        ) from error


def to_degrees(geometry: MultiPolygon, place: Georeference) -> MultiPolygon:
    """Outlines on a map as longitude and latitude (WGS84), not cut where the date changes.

    Longitudes go on beyond 180 or -180 degrees.

    Args:
        geometry: In units of the map.
        place: Of the picture.

    Raises:
        TilesError: There is no way to tell, as around a pole.
    """
    crs = crs_of(place)
    if crs is None or place.transform is None:
        raise TilesError(
            "without a coordinate reference system there are no degrees",
            hint="leave out --geojson-crs, or give the picture its CRS and transform",
        )
    dense = shapely.segmentize(geometry, EDGE * math.sqrt(_pixel_area(place)))

    def degrees(points: Points) -> Points:
        try:
            x, y = rasterio.warp.transform(crs, WGS84, points[:, 0], points[:, 1])
        except FAULTS as error:
            raise TilesError(
                f"the map's coordinates have no longitude and latitude: {error}",
                hint="choose --geojson-crs source",
            ) from error
        lonlat = np.stack([np.asarray(x), np.asarray(y)], axis=1)
        if not np.isfinite(lonlat).all():
            raise TilesError(
                "a point of it has no longitude and latitude", hint="choose --geojson-crs source"
            )
        return lonlat

    turned = shapely.transform(dense, degrees)
    return as_polygons(MultiPolygon([_unwrapped(part) for part in shapely.get_parts(turned)]))


def _unwrapped(polygon: Polygon) -> Polygon:
    """A polygon whose longitudes do not jump."""
    shell = _steady(shapely.get_coordinates(polygon.exterior))
    middle = (shell[:, 0].min() + shell[:, 0].max()) / 2
    holes = []
    for ring in polygon.interiors:
        hole = _steady(shapely.get_coordinates(ring))
        own = (hole[:, 0].min() + hole[:, 0].max()) / 2
        hole[:, 0] += 360 * round((middle - own) / 360)
        holes.append(hole)
    return Polygon(shell, holes)


def _steady(ring: Points) -> Points:
    longitudes = np.unwrap(ring[:, 0], period=360)
    lonlat: Points = np.stack([longitudes, ring[:, 1]], axis=1)
    if abs(lonlat[-1, 0] - lonlat[0, 0]) > 180:
        raise TilesError(
            "it goes around a pole, and has no outline in longitude and latitude",
            hint="choose --geojson-crs source",
        )
    return lonlat


def cut_at_antimeridian(geometry: MultiPolygon) -> MultiPolygon:
    """Outlines in degrees, in parts none of which crosses 180 degrees (RFC 7946, 3.1.9)."""
    left, _, right, _ = geometry.bounds
    if left >= -180 and right <= 180:
        return geometry
    parts: list[Polygon] = []
    for turn in range(math.floor((left + 180) / 360), math.floor((right + 180) / 360) + 1):
        window = box(360 * turn - 180, -90, 360 * turn + 180, 90)
        inside = as_polygons(shapely.intersection(geometry, window))
        parts += affinity.translate(inside, xoff=-360 * turn).geoms
    return as_polygons(MultiPolygon(parts))


class Areas:
    """Areas in square metres of objects of one picture.

    A map's own areas where its units are lengths and it hardly stretches the ground, as UTM and
    national grids; else those of the ground itself, as for degrees and Web Mercator.

    Args:
        place: The picture's.
        size: The picture's.
    """

    def __init__(self, place: Georeference, size: Size) -> None:
        self._place = place
        crs = crs_of(place)
        self._of_pixel: float | None = None
        self._on_ground = crs is not None
        if crs is None or not crs.is_projected:
            return
        of_pixel = _pixel_area(place) * crs.linear_units_factor[1] ** 2
        centre = box(size.width // 2, size.height // 2, size.width // 2 + 1, size.height // 2 + 1)
        ground = self._ground(MultiPolygon([centre]))
        if ground is None or abs(of_pixel / ground - 1) <= STRETCHED:
            self._of_pixel, self._on_ground = of_pixel, False

    def of(self, pixels: float, geometry: MultiPolygon) -> float | None:
        """An object's area; None if it cannot be told.

        Args:
            pixels: How many it has; of a finer outline, its area in pixels.
            geometry: Its outline, in pixels.
        """
        if self._of_pixel is not None:
            return pixels * self._of_pixel
        return self._ground(geometry) if self._on_ground else None

    def _ground(self, geometry: MultiPolygon) -> float | None:
        try:
            degrees = to_degrees(moved(geometry, self._place.to_map), self._place)
            (unit, _), _ = rasterio.warp.transform(WGS84, EQUAL_AREA, [1.0, 0.0], [0.0, 0.0])
        except TilesError:
            return None

        def metres(points: Points) -> Points:
            zeros = np.zeros(len(points))
            _, y = rasterio.warp.transform(WGS84, EQUAL_AREA, zeros, points[:, 1])
            return np.stack([points[:, 0] * unit, np.asarray(y)], axis=1)

        area: float = shapely.transform(degrees, metres).area
        return area


def _pixel_area(place: Georeference) -> float:
    """Of a pixel, in square units of the map."""
    if place.transform is None:
        return 1.0
    a, b, _, d, e, _ = place.transform
    return abs(a * e - b * d)


def affine_of(place: Georeference) -> Affine | None:
    """The transform; None where there is none."""
    return Affine(*place.transform) if place.transform is not None else None


def said(place: Georeference) -> Iterator[str]:
    """What people are told of the coordinates that results are in."""
    crs = crs_of(place)
    if crs is not None:
        code = crs.to_epsg()
        yield (
            f"EPSG:{code}" if code is not None else "the picture's own coordinate reference system"
        )
    elif place.transform is not None:
        yield "map coordinates of an unknown reference system"
    else:
        yield "no georeference: coordinates are pixels, x to the right and y down"
