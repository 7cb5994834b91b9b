"""GeoTIFFs as GDAL reads them."""

import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine
from PIL import Image

from edgeflow.geometry import Box
from edgeflow.tiles.sources.raster import RasterSource
from edgeflow.tiles.sources.source import Choice, Description
from tests.gdal_tools import raster_info
from tests.unit.edgeflow.tiles.rasters import noise, write_raster


def opened(path: Path, choice: Choice | None = None, driver: str = "GTiff") -> RasterSource:
    return RasterSource(path, driver, choice or Choice())


def about(path: Path, choice: Choice | None = None) -> Description:
    source = opened(path, choice)
    source.close()
    return source.about


def pixels(path: Path, choice: Choice | None = None) -> Any:
    source = opened(path, choice)
    try:
        return source.read(Box.whole(source.about.size)).pixels
    finally:
        source.close()


def test_bytes_in_rgb_stay_as_they_are(tmp_path: Path) -> None:
    samples = noise(3, 40, 50)
    shown = pixels(write_raster(tmp_path / "a.tif", samples))
    assert (shown == np.moveaxis(samples, 0, 2)).all()


def test_a_window_is_part_of_the_whole(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "a.tif", noise(4, 200, 300, kind="uint16", high=5000))
    source, box = opened(path), Box(30, 40, 101, 222)
    whole = source.read(Box.whole(source.about.size)).pixels
    assert (source.read(box).pixels == whole[box.slices]).all()
    source.close()


def test_other_types_are_stretched_by_percentiles_of_the_whole(tmp_path: Path) -> None:
    ramp = np.tile(np.arange(1000, dtype=np.uint16), (50, 1))[None]
    found = about(write_raster(tmp_path / "a.tif", ramp), Choice(percentiles=(10, 90)))
    (stretch,) = found.stretch
    assert stretch.low == pytest.approx(99.9, abs=1)
    assert stretch.high == pytest.approx(899.1, abs=1)
    assert found.bands == (1,)


@pytest.mark.parametrize("overviews", [[], [2, 4, 8]])
def test_large_pictures_are_judged_by_a_part(tmp_path: Path, overviews: list[int]) -> None:
    ramp = np.tile(np.linspace(0, 200, 12_000).astype(np.uint8), (600, 1))[None]
    path = write_raster(tmp_path / "a.tif", ramp, tiled=True, blockxsize=256, blockysize=256)
    if overviews:
        with rasterio.open(path, "r+") as data:
            data.build_overviews(overviews, rasterio.enums.Resampling.average)
    (stretch,) = about(path, Choice(percentiles=(10, 90))).stretch
    assert stretch.low == pytest.approx(20, abs=2)
    assert stretch.high == pytest.approx(180, abs=2)


def test_nodata_counts_for_no_percentile_and_is_black(tmp_path: Path) -> None:
    samples = np.full((1, 64, 64), -9999, dtype=np.int16)
    samples[0, :8] = np.arange(8 * 64).reshape(8, 64)
    path = write_raster(tmp_path / "a.tif", samples, nodata=-9999)
    assert about(path).nodata == -9999
    (stretch,) = about(path).stretch
    assert 0 < stretch.low < 20
    source = opened(path)
    shown = source.read(Box.whole(source.about.size))
    source.close()
    assert shown.valid is not None
    assert shown.valid[:8].all()
    assert not shown.valid[8:].any()
    assert not shown.pixels[8:].any()


def test_nan_is_no_data(tmp_path: Path) -> None:
    samples = np.full((1, 32, 32), np.nan, dtype=np.float32)
    samples[0, 0] = np.linspace(0, 1, 32)
    found = about(write_raster(tmp_path / "a.tif", samples, nodata=math.nan))
    assert found.nodata is not None
    assert math.isnan(found.nodata)
    assert 0 <= found.stretch[0].low < found.stretch[0].high <= 1


def test_what_alpha_hides_is_no_data(tmp_path: Path) -> None:
    samples = noise(4, 32, 32, kind="uint16", high=100)
    samples[3] = 65535
    samples[:3, :, 16:], samples[3, :, 16:] = 60_000, 0
    path = write_raster(tmp_path / "a.tif", samples, photometric="rgb", alpha="yes")
    source = opened(path)
    shown = source.read(Box.whole(source.about.size))
    source.close()
    assert shown.valid is not None
    assert shown.valid[:, :16].all()
    assert not shown.valid[:, 16:].any()
    assert source.about.bands == (1, 2, 3)
    assert all(each.high < 100 for each in source.about.stretch)


def test_what_a_mask_hides_is_no_data(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "a.tif", noise(3, 32, 32))
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(path, "r+") as data:
        data.write_mask(np.arange(32 * 32).reshape(32, 32) < 512)
    source = opened(path)
    valid = source.read(Box.whole(source.about.size)).valid
    source.close()
    assert valid is not None
    assert valid[:16].all()
    assert not valid[16:].any()


def test_bands_are_chosen(tmp_path: Path) -> None:
    samples = noise(5, 20, 20)
    path = write_raster(tmp_path / "a.tif", samples, photometric="minisblack")
    assert (pixels(path, Choice(bands=(4, 3, 2))) == np.moveaxis(samples[[3, 2, 1]], 0, 2)).all()
    assert (pixels(path, Choice(bands=(5,)))[..., 0] == samples[4]).all()
    assert "bands 1, 2, 3 of 5" in about(path).notes[0]


def test_colours_are_told_by_their_meaning(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "a.tif", noise(3, 9, 9), photometric="rgb")
    with rasterio.open(path, "r+") as data:
        kinds = rasterio.enums.ColorInterp
        data.colorinterp = [kinds.blue, kinds.green, kinds.red]
    assert about(path).bands == (3, 2, 1)


def test_a_palette_becomes_its_colours(tmp_path: Path) -> None:
    colours = {0: (255, 0, 0, 255), 1: (0, 255, 0, 255), 2: (9, 8, 7, 255)}
    samples = noise(1, 16, 16, high=3)
    shown = pixels(write_raster(tmp_path / "a.tif", samples, colours=colours))
    assert (shown == np.array([colours[n][:3] for n in range(3)])[samples[0]]).all()


def test_few_bits_are_shown_from_black_to_white(tmp_path: Path) -> None:
    samples = noise(1, 16, 16, high=4)
    shown = pixels(write_raster(tmp_path / "a.tif", samples, nbits=2))
    assert (shown[..., 0] == samples[0] * 85).all()


@pytest.mark.parametrize("transform", [Affine(0.4, 0.3, 5e5, 0.3, -0.4, 5.4e6), None])
@pytest.mark.parametrize("meaning", ["Area", "Point"])
def test_the_place_is_the_one_that_gdals_own_tools_tell(
    tmp_path: Path, transform: Affine | None, meaning: str
) -> None:
    """Pixels that stand for points are half a pixel elsewhere in the file, not on the map."""
    profile = {"transform": transform} if transform else {}
    path = write_raster(
        tmp_path / "a.tif", noise(1, 9, 9), tags={"AREA_OR_POINT": meaning}, **profile
    )
    c, a, b, f, d, e = raster_info(path)["geoTransform"]
    place = about(path).georeference
    assert place.transform == (a, b, c, d, e, f)
    assert place.crs is not None
    assert "32632" in place.crs


def test_without_a_place(tmp_path: Path) -> None:
    found = about(write_raster(tmp_path / "a.tif", noise(1, 9, 9), crs=None, transform=None))
    assert found.georeference.crs is None
    assert found.georeference.transform is None
    assert any("no place on a map" in note for note in found.notes)


def test_without_a_crs(tmp_path: Path) -> None:
    found = about(write_raster(tmp_path / "a.tif", noise(1, 9, 9), crs=None))
    assert found.georeference.transform is not None
    assert any("no coordinate reference system" in note for note in found.notes)


def test_what_lies_beside_a_file_is_not_read(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "a.tif", noise(1, 9, 9))
    before = about(path).georeference
    (tmp_path / "a.tif.aux.xml").write_text(
        "<PAMDataset><SRS>EPSG:4326</SRS><GeoTransform>9,1,0,9,0,1</GeoTransform></PAMDataset>"
    )
    (tmp_path / "a.tif.ovr").write_bytes(b"II*\0nothing")
    assert about(path).georeference == before


def test_a_big_tiff(tmp_path: Path) -> None:
    samples = noise(3, 70, 70)
    path = write_raster(tmp_path / "a.tif", samples, BIGTIFF="YES", compress="lzw")
    assert path.read_bytes()[2] == 43
    assert (pixels(path) == np.moveaxis(samples, 0, 2)).all()


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_a_whole_slide_picture(tmp_path: Path) -> None:
    """Tiles of JPEG in YCbCr, as scanners write them, and smaller copies behind."""
    smooth = np.linspace(0, 255, 3 * 300 * 300).reshape(3, 300, 300).astype(np.uint8)
    path = write_raster(
        tmp_path / "a.svs", smooth, crs=None, transform=None, tiled=True, blockxsize=256,
        blockysize=256, compress="jpeg", photometric="ycbcr",
        tags={"TIFFTAG_IMAGEDESCRIPTION": "Aperio Image Library v12"},
    )  # fmt: skip
    shown = pixels(path).astype(int)
    assert np.abs(shown - np.moveaxis(smooth, 0, 2)).max() < 12


@pytest.mark.parametrize(("driver", "ending"), [("PNG", "png"), ("JPEG", "jpg")])
def test_plain_pictures_are_read_in_windows_too(tmp_path: Path, driver: str, ending: str) -> None:
    smooth = np.linspace(0, 255, 90 * 80 * 3).reshape(90, 80, 3).astype(np.uint8)
    Image.fromarray(smooth).save(tmp_path / f"a.{ending}", quality=95)
    (tmp_path / f"a.{ending[0]}gw").write_text("2\n0\n0\n-2\n101\n199\n")
    source = opened(tmp_path / f"a.{ending}", driver=driver)
    shown = source.read(Box(10, 20, 60, 80)).pixels.astype(int)
    source.close()
    assert np.abs(shown - smooth[10:60, 20:80]).max() < 16
    assert source.about.georeference.transform == (2, 0, 100, 0, -2, 200)


def test_pictures_leave_the_warnings_filter_alone(tmp_path: Path) -> None:
    before = list(warnings.filters)
    about(write_raster(tmp_path / "a.tif", noise(1, 9, 9), crs=None, transform=None))
    assert warnings.filters == before
