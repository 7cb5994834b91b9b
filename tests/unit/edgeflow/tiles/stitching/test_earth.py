"""Degrees and areas, for maps of many kinds."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from affine import Affine
from rasterio.crs import CRS
from shapely.geometry import MultiPolygon, Polygon, box

from edgeflow.geometry import Size
from edgeflow.tiles.errors import TilesError
from edgeflow.tiles.georeference import Georeference
from edgeflow.tiles.stitching.earth import (
    Areas,
    crs_of,
    cut_at_antimeridian,
    said,
    to_degrees,
)
from edgeflow.tiles.stitching.outlines import moved
from tests.geo_world import NORTH_UP, UTM

SIZE = Size(1000, 1000)
FIELD = MultiPolygon([box(100, 200, 300, 600)])
"""80,000 pixels."""


def place(crs: str | None, transform: Affine | None) -> Georeference:
    wkt = CRS.from_string(crs).to_wkt() if crs is not None else None
    numbers = tuple(transform)[:6] if transform is not None else None
    return Georeference(wkt, numbers)


def area(crs: str | None, transform: Affine | None) -> float | None:
    return Areas(place(crs, transform), SIZE).of(80_000, FIELD)


def degrees(crs: str, transform: Affine, shape: MultiPolygon = FIELD) -> MultiPolygon:
    where = place(crs, transform)
    return to_degrees(moved(shape, where.to_map), where)


def test_a_grid_in_metres_has_its_own_areas() -> None:
    assert area(UTM, NORTH_UP) == pytest.approx(80_000 * 0.09, rel=1e-12)
    turned = NORTH_UP @ Affine.rotation(30)
    assert area(UTM, turned) == pytest.approx(80_000 * 0.09, rel=1e-9)


def test_feet_become_metres() -> None:
    new_york = Affine(1, 0, 980_000, 0, -1, 200_000)
    assert area("EPSG:2263", new_york) == pytest.approx(80_000 * 0.3048006096**2, rel=1e-8)


def test_degrees_have_areas_on_the_ground() -> None:
    """Between two parallels of the ellipsoid, by the series of the meridian's length."""
    step = 1e-5
    found = area("EPSG:4326", Affine(step, 0, 15, 0, -step, 50))
    latitude = np.radians(50 - 400 * step)
    e2 = 0.00669437999014
    root = 1 - e2 * np.sin(latitude) ** 2
    across = 6378137 * np.cos(latitude) / np.sqrt(root) * np.radians(step)
    down = 6378137 * (1 - e2) / root**1.5 * np.radians(step)
    assert found == pytest.approx(80_000 * across * down, rel=1e-5)


def test_web_mercator_has_areas_on_the_ground() -> None:
    """At 60 degrees north it shows four times the area."""
    north = Affine(1, 0, 1_669_792, 0, -1, 8_399_738)
    found = area("EPSG:3857", north)
    assert found == pytest.approx(80_000 / 4, rel=0.01)


def test_areas_are_the_same_across_the_antimeridian() -> None:
    step = 1e-4
    here, there = (area("EPSG:4326", Affine(step, 0, west, 0, -step, 10)) for west in (0, 179.98))
    assert here == pytest.approx(there, rel=1e-9)


@pytest.mark.parametrize(
    ("crs", "transform"), [(None, None), (None, NORTH_UP), (UTM, None), ("EPSG:4326", None)]
)
def test_without_a_place_on_earth_there_is_no_area(
    crs: str | None, transform: Affine | None
) -> None:
    assert area(crs, transform) is None
    with pytest.raises(TilesError, match="no degrees"):
        to_degrees(FIELD, place(crs, transform))


def test_a_local_grid_has_no_place_on_earth() -> None:
    local = 'LOCAL_CS["site",UNIT["metre",1],AXIS["Easting",EAST],AXIS["Northing",NORTH]]'
    where = Georeference(local, tuple(NORTH_UP)[:6])
    assert Areas(where, SIZE).of(80_000, FIELD) is None
    with pytest.raises(TilesError):
        to_degrees(FIELD, where)


def test_a_foreign_reference_system_is_refused_in_words() -> None:
    with pytest.raises(TilesError, match="cannot be read"):
        crs_of(Georeference("no WKT", tuple(NORTH_UP)[:6]))


def test_degrees_are_longitude_and_latitude() -> None:
    left, bottom, right, top = degrees(UTM, NORTH_UP).bounds
    assert 15 <= left < right < 15.01
    assert 50.5 < bottom < top < 50.6


def test_long_edges_follow_the_ground() -> None:
    """The middle of a line on the map lies on the line in degrees."""
    wide = MultiPolygon([box(0, 0, 200_000, 1000)])
    found = degrees(UTM, NORTH_UP, wide)
    middle = degrees(UTM, NORTH_UP, MultiPolygon([box(100_000, 0, 100_001, 1)]))
    corner = shapely.get_coordinates(middle)[:, 1].max()
    line = found.geoms[0].exterior
    away = shapely.distance(line, shapely.points(shapely.get_coordinates(middle)[0]))
    assert away < 1e-7
    assert corner == pytest.approx(shapely.get_coordinates(middle)[0, 1], abs=1e-4)


@pytest.mark.parametrize("west", [179.99, -180.01, 539.99])
def test_what_crosses_the_antimeridian_is_cut_there(west: float) -> None:
    step = 1e-4
    found = degrees("EPSG:4326", Affine(step, 0, west, 0, -step, 10))
    assert found.bounds[2] - found.bounds[0] == pytest.approx(200 * step)
    cut = cut_at_antimeridian(found)
    assert cut.is_valid
    assert cut.area == pytest.approx(found.area)
    assert len(cut.geoms) == (1 if west > 180 and west % 360 > 180 else len(cut.geoms))
    assert all(-180 <= part.bounds[0] <= part.bounds[2] <= 180 for part in cut.geoms)


def test_two_sides_of_the_antimeridian_are_two_parts() -> None:
    """UTM zone 60 reaches over it, and PROJ answers in longitudes of both signs."""
    east = Affine(10, 0, 832_000, 0, -10, 100_000)
    cut = cut_at_antimeridian(degrees("EPSG:32660", east))
    assert len(cut.geoms) == 2
    assert sorted(round(part.bounds[0]) for part in cut.geoms) == [-180, 180]


def test_holes_stay_with_their_shell_across_the_antimeridian() -> None:
    hole = box(150, 150, 350, 350).exterior
    ring = MultiPolygon([Polygon(box(0, 0, 400, 400).exterior, [hole])])
    found = degrees("EPSG:4326", Affine(1e-4, 0, 179.98, 0, -1e-4, 10), ring)
    assert found.is_valid
    assert cut_at_antimeridian(found).area == pytest.approx(ring.area * 1e-8)


def test_what_goes_around_a_pole_has_no_outline_in_degrees() -> None:
    pole = Affine(100, 0, -50_000, 0, -100, 50_000)
    around = MultiPolygon([box(300, 300, 700, 700)])
    with pytest.raises(TilesError, match="pole"):
        degrees("EPSG:3413", pole, around)
    assert Areas(place("EPSG:3413", pole), SIZE).of(160_000, around) is None
    beside = Areas(place("EPSG:3413", pole), SIZE).of(80_000, FIELD)
    assert beside == pytest.approx(80_000 * 100**2 / 0.94, rel=0.02)


def test_people_are_told_of_the_coordinates() -> None:
    assert list(said(place(UTM, NORTH_UP))) == ["EPSG:32633"]
    assert "pixels" in next(said(place(None, None)))
    assert "unknown" in next(said(place(None, NORTH_UP)))
