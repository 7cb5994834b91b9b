"""``edgeflow stitch``: from annotated tiles to files that GDAL's own programs read."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import shapely
from shapely.geometry.base import BaseGeometry
from typer.testing import CliRunner, Result

from edgeflow.cli import app
from edgeflow.geometry import Box, Size
from edgeflow.tiles.sidecar import TileSet
from tests.gdal_tools import features, gdal, raster, raster_info
from tests.geo_world import (
    LABELS,
    World,
    annotated,
    make_world,
    on_map,
    region,
    write_export,
    write_vectors,
)
from tests.unit.edgeflow.tiles.stitching.stitching_world import (
    rectangle,
    tasks_of,
    tile_set,
    written,
)


def stitch(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["stitch", *map(str, arguments)])


@pytest.fixture(scope="module")
def world() -> World:
    return make_world(Size(3000, 3000), 60)


@pytest.fixture(scope="module")
def tiles(world: World) -> TileSet:
    return tile_set(world.size, world.crs, world.transform, side=1024, overlap=128)


@pytest.fixture(scope="module")
def export(world: World, tiles: TileSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("export") / "export.json"
    write_export(path, annotated(world, tiles, tasks_of(tiles)))
    return path


def iou(one: BaseGeometry, other: BaseGeometry) -> float:
    return float(one.intersection(other).area / one.union(other).area)


def test_a_world_comes_back_on_its_map(
    world: World, tiles: TileSet, export: Path, tmp_path: Path
) -> None:
    formats = ("--format", "geotiff,gpkg,geojson,shp", "--values", "object")
    done = stitch(written(tmp_path, tiles), tmp_path / "out", "--tasks", export, *formats)
    assert done.exit_code == 0, done.output
    assert "town.tif: 60 objects in 16 tiles" in done.output
    ids = world.ids(Box.whole(world.size))
    truth = {
        (each.label, on_map(each.shape, world.transform)): np.count_nonzero(ids == number) * 0.09
        for number, each in enumerate(world.things, start=1)
    }
    found = features(tmp_path / "out" / "town_objects.gpkg")
    assert len(found) == len(truth) == 60
    tree = shapely.STRtree([geometry for geometry, _ in found])
    for (label, shape), area in truth.items():
        (place,) = tree.query(shape.representative_point(), predicate="within")
        geometry, row = found[place]
        assert iou(geometry, shape) > 0.97  # the pixels' borders, and not those of the shape
        assert row["label"] == label
        assert row["area_m2"] == pytest.approx(area)
        assert geometry.is_valid
    assert sum("," in row["tiles"] for _, row in found) > 30
    numbers = raster(tmp_path / "out" / "town_mask.tif")
    pairs = np.unique(numbers.astype(np.int64) * 100 + ids)
    assert len(pairs) == 61  # each number stands for one thing, to the pixel
    info = raster_info(tmp_path / "out" / "town_mask.tif")
    assert info["geoTransform"] == [500_000, 0.3, 0, 5_600_000, 0, -0.3]
    for name in ("gpkg", "geojson", "shp"):
        summary = gdal("ogrinfo", "-so", "-al", tmp_path / "out" / f"town_objects.{name}")
        assert "Feature Count: 60" in summary


def test_unchanged_shapes_of_a_layer_keep_their_outlines(
    world: World, tiles: TileSet, export: Path, tmp_path: Path
) -> None:
    layer = tmp_path / "layer.gpkg"
    write_vectors(layer, world)
    where = (written(tmp_path, tiles), tmp_path / "out", "--tasks", export)
    done = stitch(*where, "--vectors", layer, "--format", "geotiff,gpkg,geojson")
    assert done.exit_code == 0, done.output
    found = features(tmp_path / "out" / "town_objects.gpkg")
    shapes = [on_map(each.shape, world.transform) for each in world.things]
    tree = shapely.STRtree([geometry for geometry, _ in found])
    same = 0
    for shape in shapes:
        (place,) = tree.query(shape.representative_point(), predicate="within")
        geometry, row = found[place]
        if iou(geometry, shape) > 1 - 1e-9:
            same += 1
            assert row["area_m2"] == pytest.approx(shape.area)
    # The world was drawn by GDAL, which decides otherwise where a border meets a pixel's centre.
    assert 50 <= same <= 60
    for name in ("gpkg", "geojson"):
        said = f"town_objects.{name}: 60 objects, {same} with their outlines in layer.gpkg; "
        assert said in done.output


def test_a_layer_that_cannot_lie_on_the_picture_is_told(
    world: World, tiles: TileSet, export: Path, tmp_path: Path
) -> None:
    layer = tmp_path / "layer.gpkg"
    write_vectors(layer, world)
    bare = written(tmp_path, tiles.model_copy(update={"crs": None}))
    refused = stitch(bare, tmp_path / "out", "--tasks", export, "--vectors", layer)
    assert refused.exit_code == 1
    assert "town.tif names no coordinate reference system" in refused.output
    lacking = stitch(bare, tmp_path / "out", "--tasks", export, "--layer", "houses")
    assert lacking.exit_code == 1
    assert "name --vectors" in lacking.output


def test_classes_are_numbered_in_the_order_of_the_labelling_config(
    world: World, tiles: TileSet, export: Path, tmp_path: Path
) -> None:
    config = tmp_path / "config.xml"
    labels = "".join(f'<Label value="{label}"/>' for label in ("Road", *LABELS[::-1]))
    config.write_text(
        '<View><Image name="image" value="$image"/>'
        f'<BrushLabels name="mask" toName="image">{labels}</BrushLabels></View>'
    )
    done = stitch(
        written(tmp_path, tiles), tmp_path / "out", "--tasks", export, "--label-config", config,
        "--format", "geotiff",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    ids = world.ids(Box.whole(world.size))
    numbers = [0, *({"Pond": 2, "Building": 3}[each.label] for each in world.things)]
    np.testing.assert_array_equal(
        raster(tmp_path / "out" / "town_mask.tif"), np.array(numbers)[ids]
    )


def test_what_is_left_out_is_told_and_the_rest_is_written(tmp_path: Path) -> None:
    tiles = tile_set()
    tasks = tasks_of(tiles)[:5]
    mask = rectangle(Size(200, 200), 10, 10, 50, 50)
    tasks[0]["annotations"] = [{"id": 1, "result": [region(mask, "house", "a")]}]
    tasks.append({**tasks[0], "id": 9, "data": {"image": "/x.png"}})
    path = tmp_path / "tasks.json"
    path.write_text(json.dumps(tasks))
    written(tmp_path, tiles)
    done = stitch(tmp_path, tmp_path / "out", "--tasks", path)
    assert done.exit_code == 3
    assert "tiles of town.tif that no task shows (1)" in done.output
    assert "tasks without an annotation that counts (4)" in done.output
    assert "task 9: it is no task that `edgeflow tile` made" in done.output
    assert len(features(tmp_path / "out" / "town_objects.gpkg")) == 1


def test_a_reference_system_that_nobody_knows_is_told(tmp_path: Path) -> None:
    tiles = tile_set().model_copy(update={"crs": "no such thing"})
    tasks = tasks_of(tiles)
    mask = rectangle(Size(200, 200), 10, 10, 50, 50)
    tasks[0]["annotations"] = [{"id": 1, "result": [region(mask, "house", "a")]}]
    path = tmp_path / "tasks.json"
    path.write_text(json.dumps(tasks))
    done = stitch(written(tmp_path, tiles), tmp_path / "out", "--tasks", path)
    assert done.exit_code == 1
    assert "town.tif: the coordinate reference system cannot be read" in done.output
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--format", "dxf"], "unknown format 'dxf'"),
        (["--annotator", "all"], "cannot be everybody's"),
        ([], "name either --project or --tasks"),
        (["--project", "1", "--url", "http://127.0.0.1:9"], "there is no token"),
    ],
)
def test_what_cannot_be_done_is_said(tmp_path: Path, options: list[str], said: str) -> None:
    done = stitch(written(tmp_path, tile_set()), tmp_path / "out", *options)
    assert done.exit_code == 1
    assert said in done.output


def test_lists_of_tiles_must_be_there_and_have_names_of_their_own(tmp_path: Path) -> None:
    tasks = tmp_path / "tasks.json"
    tasks.write_text(json.dumps(tasks_of(tile_set())))
    for name, sources, said in (
        ("none", [tmp_path], "no list of tiles in"),
        ("broken", [tasks], "is not a list of tiles"),
    ):
        done = stitch(*sources, tmp_path / name, "--tasks", tasks)
        assert (done.exit_code, said in done.output) == (1, True), done.output
    (tmp_path / "other").mkdir()
    paths = [
        written(tmp_path, tile_set()),
        written(tmp_path / "other", tile_set(id="1" * 32)),
    ]
    done = stitch(*paths, tmp_path / "out", "--tasks", tasks)
    assert "two pictures are called town" in done.output
    done = stitch(paths[0], paths[0], tmp_path / "out", "--tasks", tasks)
    assert "there is no mask to write" in done.output


def test_without_the_extra_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgeflow.cli.tiles.stitch.has_extra", lambda: False)
    done = stitch(written(tmp_path, tile_set()), tmp_path / "out", "--project", 1)
    assert "pip install '.[geo]'" in done.output
