"""``edgeflow tile``, from rasters and plain pictures to tiles and tasks."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from PIL import Image
from typer.testing import CliRunner, Result

from edgeflow.cli import app
from edgeflow.geometry import Box, Size
from edgeflow.label_studio.brush_rle import decode_brush
from edgeflow.label_studio.config.label_config import parse_label_config
from edgeflow.tiles.cutting import tiling
from edgeflow.tiles.cutting.tile_files import encode_tile
from edgeflow.tiles.grid import Grid
from edgeflow.tiles.sidecar import TileSet, read_tile_set
from edgeflow.tiles.tasks import TileKey, tile_key
from tests.unit.edgeflow.tiles.rasters import PLACE, noise, write_raster

SIDE, OVERLAP = 128, 24


def tile(*arguments: object) -> Result:
    return CliRunner().invoke(
        app, ["tile", *map(str, arguments), "--size", str(SIDE), "--overlap", str(OVERLAP)]
    )


def done(*arguments: object) -> Result:
    result = tile(*arguments)
    assert result.exit_code == 0, result.output
    return result


def tasks_in(folder: Path) -> list[dict[str, Any]]:
    tasks: list[dict[str, Any]] = json.loads((folder / "tasks.json").read_text())
    return tasks


def whole(folder: Path, name: str) -> tuple[Any, TileSet]:
    """A picture, put together from its tiles; where they overlap, they must be equal."""
    tiles = read_tile_set(folder / f"{name}.tiles.json")
    picture = np.zeros((*tiles.size, 3), dtype=np.uint8)
    seen = np.zeros(tiles.size, dtype=np.bool_)
    for each in tiles.tiles:
        with Image.open(folder / name / each.name) as image:
            pixels = np.asarray(image.convert("RGB"))
        assert pixels.shape[:2] == each.box.size
        known = seen[each.box.slices]
        assert (pixels[known] == picture[each.box.slices][known]).all()
        picture[each.box.slices] = pixels
        seen[each.box.slices] = True
    return picture, tiles


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A GeoTIFF of bytes in RGB, whose pixels stay as they are."""
    folder = tmp_path_factory.mktemp("photo")
    return write_raster(folder / "Luftbild Süd.tif", noise(3, 500, 700), tiled=True, blockxsize=64,
                        blockysize=64, compress="deflate")  # fmt: skip


@pytest.fixture(scope="module")
def cut(photo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("out") / "tiles"
    done(photo, folder)
    return folder


def test_the_tiles_are_the_picture(cut: Path) -> None:
    picture, tiles = whole(cut, "Luftbild Süd")
    assert (picture == np.moveaxis(noise(3, 500, 700), 0, 2)).all()
    assert len(tiles.tiles) == len(Grid(Size(500, 700), SIDE, OVERLAP))
    assert tiles.source == "Luftbild Süd.tif"
    assert tiles.georeference.transform == tuple(PLACE)[:6]
    assert tiles.crs is not None
    assert "32632" in tiles.crs
    assert tiles.stretch == ()


def test_each_tile_has_a_task_that_says_which_it_is(cut: Path) -> None:
    tiles = read_tile_set(cut / "Luftbild Süd.tiles.json")
    tasks = tasks_in(cut)
    assert [tile_key(task["data"]) for task in tasks] == [
        TileKey(tiles.id, each.name) for each in tiles.tiles
    ]
    first = tasks[0]["data"]
    assert first["image"] == (
        "/data/local-files/?d=tiles/Luftbild%20S%C3%BCd/Luftbild%20S%C3%BCd_y000_x000.png"
    )
    assert first["window"] == {"x": 0, "y": 0, "width": SIDE, "height": SIDE}
    assert len({task["meta"]["edgeflow"]["import"] for task in tasks}) == len(tasks)


def test_sixteen_bits_are_stretched_alike_in_all_tiles(tmp_path: Path) -> None:
    samples = np.tile(np.arange(600, dtype=np.uint16) * 10, (300, 1))[None]
    done(write_raster(tmp_path / "a.tif", samples, nodata=0), tmp_path / "out")
    picture, tiles = whole(tmp_path / "out", "a")
    row = picture[0, :, 0].astype(int)
    assert (np.diff(row) >= 0).all()
    assert row[0] == 0
    assert row[-1] == 255
    assert len(np.unique(row)) > 200
    assert tiles.nodata == 0
    assert len(tiles.stretch) == 1


def test_windows_without_data_are_left_out_and_counted(tmp_path: Path) -> None:
    samples = np.zeros((1, 500, 500), dtype=np.uint16)
    samples[0, :100, :100] = noise(100, 100, kind="uint16", high=900) + 1
    result = done(write_raster(tmp_path / "a.tif", samples, nodata=0), tmp_path / "out")
    _, tiles = whole(tmp_path / "out", "a")
    assert [each.box for each in tiles.tiles] == [Box(0, 0, SIDE, SIDE)]
    assert len(tasks_in(tmp_path / "out")) == 1
    assert "24 windows without data left out" in result.output


def test_all_nodata_is_told(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "a.tif", np.zeros((1, 50, 50), dtype=np.uint8), nodata=0)
    result = tile(path, tmp_path / "out")
    assert result.exit_code == 1
    assert "a.tif shows nothing: no pixel has data" in result.output
    assert not (tmp_path / "out" / "tasks.json").exists()


def test_jpeg_and_grey(tmp_path: Path) -> None:
    smooth = np.linspace(0, 255, 200 * 200).reshape(1, 200, 200).astype(np.uint8)
    done(write_raster(tmp_path / "a.tif", smooth), tmp_path / "out", "--format", "jpg")
    _, *files = sorted((tmp_path / "out" / "a").iterdir())
    assert {each.suffix for each in files} == {".jpg"}
    with Image.open(files[0]) as image:
        assert image.mode == "L"


def test_large_plain_pictures(tmp_path: Path) -> None:
    rgb = np.moveaxis(noise(3, 300, 260), 0, 2)
    Image.fromarray(rgb).save(tmp_path / "a.png")
    done(tmp_path / "a.png", tmp_path / "out")
    picture, tiles = whole(tmp_path / "out", "a")
    assert (picture == rgb).all()
    assert tiles.georeference.transform is None


def test_urls_below_a_prefix_or_a_root(photo: Path, tmp_path: Path) -> None:
    done(photo, tmp_path / "a", "--image-url-prefix", "https://host/")
    url = tasks_in(tmp_path / "a")[0]["data"]["image"]
    assert url.startswith("https://host/a/Luftbild%20S%C3%BCd/")
    done(photo, tmp_path / "b" / "c", "--local-files", tmp_path)
    url = tasks_in(tmp_path / "b" / "c")[0]["data"]["image"]
    assert url.startswith("/data/local-files/?d=b/c/Luftbild%20S%C3%BCd/")


def test_the_config_names_labels_and_the_model(photo: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done(photo, out, "--label", "roof", "--label", "road", "--model", "hrnet18s_ocr48_rsbuilding")
    config = parse_label_config((out / "config.xml").read_text()).for_task(None)
    (click,) = [each for each in config.controls if each.sends == "clicks"]
    assert click.model == "hrnet18s_ocr48_rsbuilding"
    assert {label.value for each in config.controls for label in each.labels} == {"roof", "road"}


def houses(folder: Path, *shapes: shapely.Polygon, **fields: list[object]) -> Path:
    def mapped(points: Any) -> Any:
        a, b, c, d, e, f = tuple(PLACE)[:6]
        return points @ np.array([[a, d], [b, e]]) + np.array([c, f])

    features = [
        {
            "type": "Feature",
            "properties": {name: values[number] for name, values in fields.items()},
            "geometry": json.loads(shapely.to_geojson(shapely.transform(each, mapped))),
        }
        for number, each in enumerate(shapes)
    ]
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32632"}}
    path = folder / "houses.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "crs": crs, "features": features}))
    return path


YARD = shapely.Polygon(
    [(60, 60), (330, 60), (330, 290), (60, 290)], [[(100, 100), (200, 100), (200, 180), (100, 180)]]
)
SHED = shapely.box(5, 5, 25, 30)


def test_shapes_become_predictions_cut_at_the_borders_of_tiles(photo: Path, tmp_path: Path) -> None:
    vectors = houses(tmp_path, YARD, SHED, kind=["yard", "shed"])
    result = done(photo, tmp_path / "out", "--vectors", vectors, "--label-field", "kind")
    assert "masks" in result.output
    tiles = read_tile_set(tmp_path / "out" / "Luftbild Süd.tiles.json")
    painted = np.zeros((2, *tiles.size), dtype=np.bool_)
    for task, each in zip(tasks_in(tmp_path / "out"), tiles.tiles, strict=True):
        for holder in task.get("predictions", []):
            masks = [one for one in holder["result"] if "rle" in one["value"]]
            for region in masks:
                mask = decode_brush(region["value"]["rle"], each.box.size) > 0
                number = int(region["meta"]["feature"])
                painted[number][each.box.slices] |= mask
    y, x = np.mgrid[: tiles.size.height, : tiles.size.width] + 0.5
    for number, shape in enumerate((YARD, SHED)):
        assert (painted[number] == shapely.contains_xy(shape, x, y)).all()
    labels = parse_label_config((tmp_path / "out" / "config.xml").read_text()).for_task(None)
    assert {label.value for each in labels.controls for label in each.labels} == {"shed", "yard"}


def test_shapes_where_there_is_no_data_are_told(tmp_path: Path) -> None:
    samples = np.zeros((1, 300, 400), dtype=np.uint8)
    samples[0, :40, :40] = 9
    path = write_raster(tmp_path / "a.tif", samples, nodata=0)
    vectors = houses(tmp_path, SHED, shapely.box(300, 200, 350, 250))
    result = done(path, tmp_path / "out", "--vectors", vectors)
    assert "left out: shapes where the picture has no data (1)" in result.output
    assert "1 task, with 1 mask" in result.output


def test_polygons_where_the_config_has_them(photo: Path, tmp_path: Path) -> None:
    vectors = houses(tmp_path, SHED, kind=["shed"])
    done(photo, tmp_path / "out", "--vectors", vectors, "--control", "polygon")
    (prediction,) = tasks_in(tmp_path / "out")[0]["predictions"]
    (region,) = prediction["result"]
    assert region["type"] == "polygonlabels"
    assert region["value"]["polygonlabels"] == ["Object"]


class TestAgain:
    """Runs that were interrupted, and second ones."""

    def test_finished_tiles_are_kept(
        self, photo: Path, cut: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        out, encoded = tmp_path / "tiles", list[int]()

        def counting(pixels: Any, ending: str) -> bytes:
            encoded.append(1)
            if len(encoded) > most:
                raise KeyboardInterrupt
            return encode_tile(pixels, ending)

        most = 20
        monkeypatch.setattr(tiling, "encode_tile", counting)
        assert tile(photo, out).exit_code != 0
        assert not (out / "tasks.json").exists()
        before = {path: path.stat().st_mtime_ns for path in (out / "Luftbild Süd").iterdir()}
        assert len(before) >= 10
        kept = len((out / ".Luftbild Süd.tiling").read_bytes().splitlines()) - 1

        most = 1000
        encoded.clear()
        done(photo, out)
        assert len(encoded) == len(tasks_in(out)) - kept
        assert kept > 5
        assert tasks_in(out) == tasks_in(cut)
        assert (out / "Luftbild Süd.tiles.json").read_bytes() == (
            cut / "Luftbild Süd.tiles.json"
        ).read_bytes()
        assert (whole(out, "Luftbild Süd")[0] == whole(cut, "Luftbild Süd")[0]).all()

    def test_a_tile_that_is_gone_or_damaged_is_made_again(
        self, photo: Path, tmp_path: Path
    ) -> None:
        done(photo, tmp_path / "out")
        one, two, *_ = sorted((tmp_path / "out" / "Luftbild Süd").iterdir())
        content = one.read_bytes(), two.read_bytes()
        one.unlink()
        two.write_bytes(content[1][:100])
        done(photo, tmp_path / "out")
        assert (one.read_bytes(), two.read_bytes()) == content

    def test_other_tiles_are_never_mixed_in(self, photo: Path, tmp_path: Path) -> None:
        done(photo, tmp_path / "out")
        before = (tmp_path / "out" / "tasks.json").read_bytes()
        for other in (["--bands", "1"], ["--format", "jpg"], ["--image-url-prefix", "https://h/"]):
            result = tile(photo, tmp_path / "out", *other)
            assert result.exit_code == 1
            assert "holds tiles that were cut otherwise" in result.output
        os.utime(photo)
        assert "of another picture" in tile(photo, tmp_path / "out").output
        assert (tmp_path / "out" / "tasks.json").read_bytes() == before

    def test_a_folder_of_others_is_left_alone(self, photo: Path, tmp_path: Path) -> None:
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "tasks.json").write_text("mine")
        result = tile(photo, tmp_path / "out")
        assert result.exit_code == 1
        assert "is not empty" in result.output
        assert (tmp_path / "out" / "tasks.json").read_text() == "mine"

    def test_pictures_are_added_and_none_is_lost(self, tmp_path: Path) -> None:
        one = write_raster(tmp_path / "one.tif", noise(1, 50, 50))
        two = write_raster(tmp_path / "two.tif", noise(1, 50, 50))
        done(one, tmp_path / "out")
        done(one, two, tmp_path / "out")
        assert len(tasks_in(tmp_path / "out")) == 2
        result = tile(two, tmp_path / "out")
        assert result.exit_code == 1
        assert "also holds the tiles of one" in result.output


def test_pictures_of_one_name(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        write_raster(tmp_path / folder / "x.tif", noise(1, 50, 50))
    done(tmp_path / "a" / "x.tif", tmp_path / "b" / "x.tif", tmp_path / "out")
    tasks = tasks_in(tmp_path / "out")
    assert len({task["data"]["tile"] for task in tasks}) == 2
    assert len(list((tmp_path / "out").glob("*.tiles.json"))) == 2


def test_one_bad_picture_spoils_no_other(tmp_path: Path) -> None:
    good = write_raster(tmp_path / "good.tif", noise(1, 50, 50))
    (tmp_path / "bad.tif").write_bytes(b"II*\0")
    result = tile(tmp_path / "bad.tif", good, tmp_path / "out")
    assert result.exit_code == 3
    assert "bad.tif" in result.output
    assert len(tasks_in(tmp_path / "out")) == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--bands", "1,2"], "neither one band nor three"),
        (["--bands", "0"], "neither one band nor three"),
        (["--bands", "x"], "neither one band nor three"),
        (["--bands", "9"], "has no band 9, but 3"),
        (["--percentiles", "98,2"], "no two percentiles"),
        (["--percentiles", "nan,2"], "no two percentiles"),
        (["--most", "3"], "which are"),
        (["--label", "\x01"], "is no label"),
        (["--label-field", "a"], "name --vectors"),
        (["--vectors", "nothing.gpkg"], "there is no file"),
        (["--control", "circle"], "unknown --control"),
    ],
)
def test_what_cannot_be_is_told(photo: Path, tmp_path: Path, options: list[str], said: str) -> None:
    result = tile(photo, tmp_path / "out", *options)
    assert result.exit_code == 1
    assert said in result.output
    assert "Traceback" not in result.output


def test_tiles_cannot_overlap_whole(photo: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(
        app, ["tile", str(photo), str(tmp_path / "out"), "--size", "64", "--overlap", "64"]
    )
    assert "choose a smaller --overlap" in result.output


@pytest.mark.slow
def test_a_killed_run_goes_on(tmp_path: Path) -> None:
    """By a signal that no program can catch, at any moment."""
    samples = noise(3, 1000, 1000)
    path = write_raster(tmp_path / "a.tif", samples, tiled=True, blockxsize=64, blockysize=64)
    options = ["tile", path, tmp_path / "out", "--size", 64, "--overlap", 8]
    command = [sys.executable, "-m", "edgeflow.cli", *map(str, options)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
        until = time.monotonic() + 100
        journal = tmp_path / "out" / ".a.tiling"
        while time.monotonic() < until and not (journal.exists() and journal.stat().st_size > 9000):
            time.sleep(0.01)
        run.send_signal(signal.SIGKILL)
    assert not (tmp_path / "out" / "tasks.json").exists()
    finished = journal.read_bytes().count(b"\n") - 1
    stamps = {each: each.stat().st_mtime_ns for each in (tmp_path / "out" / "a").glob("*.png")}
    assert CliRunner().invoke(app, [str(each) for each in options]).exit_code == 0
    picture, _ = whole(tmp_path / "out", "a")
    assert (picture == np.moveaxis(samples, 0, 2)).all()
    kept = sum(each.stat().st_mtime_ns == at for each, at in stamps.items())
    assert kept >= finished > 10
