"""Label rasters, read by GDAL's own programs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from affine import Affine

from edgeflow.errors import FileWriteError
from edgeflow.export.classes import Classes
from edgeflow.geometry import Size
from edgeflow.tiles.errors import TilesError
from edgeflow.tiles.stitching import raster as rasters
from edgeflow.tiles.stitching.raster import write_labels
from tests.gdal_tools import raster, raster_info
from tests.geo_world import NORTH_UP
from tests.unit.edgeflow.tiles.stitching.stitching_world import drawn_on, rectangle, tile_set

SIZE = Size(300, 400)
CLASSES = Classes(("house", "pond"))
HOUSE, POND = rectangle(SIZE, 100, 50, 200, 390), rectangle(SIZE, 150, 300, 299, 399)
TURNED = NORTH_UP @ Affine.rotation(30) @ Affine.translation(5, 7)


@pytest.mark.parametrize("transform", [NORTH_UP, TURNED])
def test_pixels_have_the_number_of_their_class(tmp_path: Path, transform: Affine) -> None:
    drawn = drawn_on(tile_set(transform=transform), ("house", HOUSE), ("pond", POND))
    painted = write_labels(tmp_path / "a.tif", drawn, CLASSES, by_object=False)
    expected = np.where(POND, 2, np.where(HOUSE, 1, 0))
    np.testing.assert_array_equal(raster(tmp_path / "a.tif"), expected)
    assert painted.hidden == 0
    assert painted.covered >= np.count_nonzero(HOUSE & POND)
    info = raster_info(tmp_path / "a.tif")
    (band,) = info["bands"]
    assert (band["type"], band["noDataValue"]) == ("Byte", 0)
    assert band["metadata"][""] == {"class_1": "house", "class_2": "pond"}
    assert 'ID["EPSG",32633]' in info["coordinateSystem"]["wkt"]
    c, a, b, f, d, e = info["geoTransform"]
    assert (a, b, c, d, e, f) == pytest.approx(tuple(transform)[:6], abs=1e-9)


def test_pixels_have_the_number_of_their_object(tmp_path: Path) -> None:
    drawn = drawn_on(tile_set(), ("house", HOUSE), ("pond", POND))
    write_labels(tmp_path / "a.tif", drawn, CLASSES, by_object=True)
    labels = [each.label for each in drawn.objects]
    numbers = raster(tmp_path / "a.tif")
    assert set(numbers[POND].tolist()) == {labels.index("pond") + 1}
    assert set(numbers[HOUSE & ~POND].tolist()) == {labels.index("house") + 1}


def test_many_objects_get_more_bits(tmp_path: Path) -> None:
    dots = [("house", rectangle(SIZE, 6 * row, 6 * col, 6 * row + 2, 6 * col + 2))
            for row in range(20) for col in range(15)]  # fmt: skip
    write_labels(tmp_path / "a.tif", drawn_on(tile_set(), *dots), CLASSES, by_object=True)
    assert raster_info(tmp_path / "a.tif")["bands"][0]["type"] == "UInt16"
    assert raster(tmp_path / "a.tif").max() == 300


def test_an_object_under_others_is_counted(tmp_path: Path) -> None:
    drawn = drawn_on(tile_set(), ("pond", rectangle(SIZE, 150, 310, 160, 320)), ("house", HOUSE))
    painted = write_labels(tmp_path / "a.tif", drawn, CLASSES, by_object=False)
    assert painted.hidden == 1
    assert set(np.unique(raster(tmp_path / "a.tif")).tolist()) == {0, 1}


def test_a_picture_without_a_place_gets_none(tmp_path: Path) -> None:
    drawn = drawn_on(tile_set(crs=None, transform=None), ("house", HOUSE))
    write_labels(tmp_path / "a.tif", drawn, CLASSES, by_object=False)
    info = raster_info(tmp_path / "a.tif")
    assert "coordinateSystem" not in info
    assert "geoTransform" not in info
    np.testing.assert_array_equal(raster(tmp_path / "a.tif"), HOUSE)


def test_what_cannot_be_written_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = drawn_on(tile_set(), ("house", HOUSE))
    with pytest.raises(FileWriteError, match=r"a\.tif"):
        write_labels(tmp_path / "none" / "a.tif", drawn, CLASSES, by_object=False)
    monkeypatch.setattr(rasters, "MAX_PIXELS", 1000)
    with pytest.raises(TilesError, match="too large"):
        write_labels(tmp_path / "a.tif", drawn, CLASSES, by_object=False)
