"""Files of vectors, read by GDAL's own programs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import shapely
from affine import Affine
from shapely.geometry import box

from edgeflow.errors import FileWriteError
from edgeflow.export.classes import Classes
from edgeflow.geometry import Size
from edgeflow.tiles.sidecar import TileSet
from edgeflow.tiles.stitching.choices import FORMAT_NAMES, Choices
from edgeflow.tiles.stitching.formats import FORMATS, Work, Written, write_files
from edgeflow.tiles.stitching.objects import stitched
from edgeflow.tiles.stitching.vector import SHAPEFILE, write_layer
from tests.gdal_tools import features, gdal
from tests.geo_world import PIXEL
from tests.unit.edgeflow.tiles.stitching.stitching_world import pieces_of, rectangle, tile_set

SIZE = Size(300, 400)
HOUSE = rectangle(SIZE, 100, 50, 200, 390) & ~rectangle(SIZE, 120, 60, 150, 380)
LABEL = "dům (a/b) 房子"


def write(
    folder: Path, name: str, tiles: TileSet, choices: Choices | None = None, label: str = LABEL
) -> tuple[Path, Written]:
    pieces = [each._replace(by=("by7",)) for each in pieces_of(tiles, [(label, HOUSE)])]
    work = Work(stitched(tiles, pieces), Classes(("pond", label)), choices or Choices())
    ((path, said),) = write_files(work, "town", [name], folder)
    return path, said


def test_the_names_of_formats_are_those_of_the_table() -> None:
    assert tuple(FORMATS) == FORMAT_NAMES


@pytest.mark.parametrize("name", ["gpkg", "shp", "geojson"])
def test_an_object_is_where_it_was_drawn(tmp_path: Path, name: str) -> None:
    path, said = write(tmp_path, name, tile_set(), Choices(geojson_crs="source", annotators=True))
    ((shape, row),) = features(path)
    x, y = 500_000, 5_600_000
    outer = box(x + 50 * PIXEL, y - 200 * PIXEL, x + 390 * PIXEL, y - 100 * PIXEL)
    hole = box(x + 60 * PIXEL, y - 150 * PIXEL, x + 380 * PIXEL, y - 120 * PIXEL)
    assert shape.symmetric_difference(outer.difference(hole)).area < 1e-3
    assert shape.is_valid
    assert row["label"] == LABEL
    assert row["DN" if name == "shp" else "class_id"] == 2
    assert row["area_m2"] == pytest.approx(np.count_nonzero(HOUSE) * PIXEL**2)
    assert row["tiles"].split(",") == [f"town-{tile}.png" for tile in range(6)]
    assert row["annotators"] == "by7"
    assert said.said == "1 object; EPSG:32633"
    summary = gdal("ogrinfo", "-so", "-al", path)
    assert "32633" in summary
    assert "Feature Count: 1" in summary
    assert [each.stem for each in tmp_path.iterdir()] == [path.stem] * len(list(tmp_path.iterdir()))


def test_geojson_has_longitude_and_latitude(tmp_path: Path) -> None:
    path, said = write(tmp_path, "geojson", tile_set())
    ((shape, _),) = features(path)
    assert 15 <= shape.bounds[0] < shape.bounds[2] < 15.01
    assert 50.5 < shape.bounds[1] < shape.bounds[3] < 50.6
    assert '"crs"' not in path.read_text()
    assert "WGS84" in said.said


def test_geojson_is_cut_at_the_antimeridian(tmp_path: Path) -> None:
    pacific = tile_set(crs="EPSG:4326", transform=Affine(1e-4, 0, 179.98, 0, -1e-4, 10))
    path, _ = write(tmp_path, "geojson", pacific)
    ((shape, _),) = features(path)
    assert shapely.get_num_geometries(shape) == 2
    assert shape.area == pytest.approx(np.count_nonzero(HOUSE) * 1e-8)


def test_what_has_no_degrees_is_left_out_and_named(tmp_path: Path) -> None:
    pole = tile_set(crs="EPSG:3413", transform=Affine(100, 0, -22_000, 0, -100, 13_500))
    path, said = write(tmp_path, "geojson", pole)
    assert features(path) == []
    (fault,) = said.left_out
    assert fault.fault == "object 1 of town.tif"
    assert "pole" in fault.reason


@pytest.mark.parametrize("name", ["gpkg", "shp", "geojson"])
def test_without_a_georeference_coordinates_are_pixels(tmp_path: Path, name: str) -> None:
    path, said = write(tmp_path, name, tile_set(crs=None, transform=None))
    ((shape, row),) = features(path)
    assert list(shape.bounds) == [50, 100, 390, 200]
    assert shape.area == np.count_nonzero(HOUSE)
    assert row["area_m2"] is None
    assert "pixels, x to the right and y down" in said.said


def test_outlines_may_have_fewer_points(tmp_path: Path) -> None:
    rows, cols = np.indices(SIZE)
    disk = np.hypot(rows - 150, cols - 200) < 80
    tiles = tile_set()
    work = Work(
        stitched(tiles, pieces_of(tiles, [("x", disk)])),
        Classes(("x",)),
        Choices(tolerance=2 * PIXEL),
    )
    ((path, _),) = write_files(work, "town", ["gpkg"], tmp_path)
    ((shape, row),) = features(path)
    assert shape.is_valid
    assert shapely.get_num_coordinates(shape) < 40
    assert shape.area == pytest.approx(np.count_nonzero(disk) * PIXEL**2, rel=0.03)
    assert row["area_m2"] == pytest.approx(np.count_nonzero(disk) * PIXEL**2)


def test_texts_that_a_shapefile_has_no_room_for_are_cut_and_told(tmp_path: Path) -> None:
    path, said = write(tmp_path, "shp", tile_set(side=60), label="ž" * 200)
    ((_, row),) = features(path)
    assert row["label"] == "ž" * 127
    assert row["tiles"].split(",")[-1].endswith(".png")
    assert "2 texts cut to 254 bytes" in said.said


def test_files_of_an_earlier_run_are_replaced(tmp_path: Path) -> None:
    for _ in range(2):
        for name in FORMAT_NAMES:
            write(tmp_path, name, tile_set())
    assert {each.suffix for each in tmp_path.iterdir()} >= {".tif", ".gpkg", ".geojson", ".shp"}


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FileWriteError):
        write(tmp_path / "file", "gpkg", tile_set())
    tiles = tile_set()
    work = Work(stitched(tiles, pieces_of(tiles, [("x", HOUSE)])), Classes(("x",)), Choices())
    with pytest.raises(FileWriteError, match="cannot write"):
        write_layer(tmp_path / "none" / "a.shp", work.layer(), SHAPEFILE)
