"""A georeferenced picture goes through a real Label Studio in tiles, and back onto its map."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import shapely
from PIL import Image, ImageDraw
from typer.testing import CliRunner

from edgeflow.arrays import BoolMask
from edgeflow.cli import app
from edgeflow.evaluate.clicker import Clicker
from edgeflow.geometry import Box, Size
from edgeflow.label_studio.bitmask_png import OPAQUE
from edgeflow.label_studio.brush_rle import decode_brush
from edgeflow.tiles.sidecar import TileSet, read_tile_set
from tests import pictures
from tests.contract.wire import keypoint
from tests.e2e.conftest import ROOT, Studio
from tests.e2e.editor import open_editor
from tests.e2e.test_import import run
from tests.gdal_tools import features, gdal, raster, raster_info
from tests.geo_world import (
    World,
    make_world,
    on_map,
    region,
    write_cog,
    write_vectors,
)

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

SIZE, SIDE, OVERLAP = Size(1500, 1500), 640, 96
THINGS = 20
CLICKED_TILES, MOST_CLICKS = 2, 6
GOOD = 0.95


class Project(NamedTuple):
    """A project of tiles.

    Attributes:
        id: Label Studio's.
        world: What there is to see.
        folder: What ``edgeflow tile`` wrote.
        tiles: Its tiles.
        tasks: As Label Studio has them.
    """

    id: int
    world: World
    folder: Path
    tiles: TileSet
    tasks: list[dict[str, Any]]

    @property
    def sidecar(self) -> Path:
        return self.folder / "world.tiles.json"

    def ids(self, task: dict[str, Any]) -> Any:
        """What each pixel of a task's tile shows."""
        (box,) = [each.box for each in self.tiles.tiles if each.name == task["data"]["tile"]]
        return self.world.ids(box)


@pytest.fixture(scope="module")
def project(studio: Studio) -> Iterator[Project]:
    """A world in tiles, with a layer of all that is on it as pre-annotations."""
    world = make_world(SIZE, THINGS, seed=3)
    # Below the folder whose files this Label Studio serves.
    with tempfile.TemporaryDirectory(dir=ROOT / "tests" / "e2e", prefix=".tiles-") as served:
        folder = Path(served)
        write_cog(folder / "world.tif", world)
        write_vectors(folder / "layer.gpkg", world)
        options = ("--size", SIDE, "--overlap", OVERLAP, "--local-files", ROOT)
        layer = ("--vectors", folder / "layer.gpkg", "--label-field", "label")
        made = CliRunner().invoke(
            app, [*map(str, ("tile", folder / "world.tif", folder / "out", *options, *layer))]
        )
        assert made.exit_code == 0, made.output
        out = folder / "out"
        config = (out / "config.xml").read_text()
        number = studio.client.create_project("tiles", config)["id"]
        storage = {"project": number, "path": str(out), "use_blob_urls": True}
        studio.client.call("POST", "storages/localfiles", json=storage)
        studio.client.connect_backend(number, studio.backend_url)
        tasks = json.loads((out / "tasks.json").read_text())
        studio.client.call("POST", f"projects/{number}/import", json=tasks)
        yield Project(
            number,
            world,
            out,
            read_tile_set(out / "world.tiles.json"),
            studio.client.tasks(number),
        )


def by_clicks(studio: Studio, project: Project, task: dict[str, Any], truth: BoolMask) -> BoolMask:
    """What the backend makes of an annotator's clicks on one object of a tile."""
    (backend,) = studio.client.call("GET", "ml", params={"project": project.id})
    clicker, mask = Clicker(truth), np.zeros_like(truth)
    clicks: list[dict[str, Any]] = []
    size = {"original_width": truth.shape[1], "original_height": truth.shape[0]}
    while clicker.iou(mask) < GOOD and len(clicks) < MOST_CLICKS:
        click = clicker.next_click(mask)
        assert click is not None
        x, y = ((at + 0.5) * 100 / SIDE for at in (click.point.x, click.point.y))
        value = {"x": x, "y": y, "width": 0.3}
        made = keypoint(x, y, positive=click.positive, **size, type="keypoint", value=value)
        clicks.append(made)
        body = {"task": task["id"], "context": {"result": clicks}}
        answer = studio.client.call("POST", f"ml/{backend['id']}/interactive-annotating", json=body)
        mask = mask_of(answered(answer))
    return mask


def test_clicked_tiles_and_others_become_objects_on_the_map(
    studio: Studio, project: Project, tmp_path: Path
) -> None:
    world = project.world
    clicked: set[int] = set()
    for place, task in enumerate(project.tasks):
        ids = project.ids(task)
        results = []
        for each in np.unique(ids[ids > 0]).tolist():
            mask: BoolMask = ids == each
            if place < CLICKED_TILES:
                mask = by_clicks(studio, project, task, mask)
                clicked.add(each)
            results += labelled(mask, world.things[each - 1].label, f"c{each}")
        studio.client.call("POST", f"tasks/{task['id']}/annotations", json={"result": results})
    done = run(
        studio, "stitch", project.sidecar, tmp_path, "--project", project.id,
        "--format", "geotiff,gpkg,geojson,shp",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    found = features(tmp_path / "world_objects.gpkg")
    assert len(found) == THINGS, done.output
    tree = shapely.STRtree([shape for shape, _ in found])
    ious = {}
    for number, thing in enumerate(world.things, start=1):
        truth = on_map(thing.shape, world.transform)
        (place,) = tree.query(truth.representative_point(), predicate="within")
        shape, row = found[place]
        ious[number] = shape.intersection(truth).area / shape.union(truth).area
        assert row["label"] == thing.label
        assert shape.is_valid
        if number not in clicked:
            assert row["area_m2"] == pytest.approx(truth.area, rel=0.01)
    assert clicked
    assert min(ious[each] for each in clicked) > 0.85, ious
    assert min(iou for each, iou in ious.items() if each not in clicked) > 0.97, ious
    source = raster_info(project.folder.parent / "world.tif")
    labels = raster_info(tmp_path / "world_mask.tif")
    assert labels["geoTransform"] == source["geoTransform"]
    assert labels["coordinateSystem"]["wkt"] == source["coordinateSystem"]["wkt"]
    for ending in ("gpkg", "geojson", "shp"):
        summary = gdal("ogrinfo", "-so", "-al", tmp_path / f"world_objects.{ending}")
        assert f"Feature Count: {THINGS}" in summary
    keep_map(project, tmp_path)


@pytest.mark.browser
def test_a_layer_comes_as_masks_and_a_click_adds_what_it_lacks(
    studio: Studio, project: Project, chromium: str, artifacts: Path
) -> None:
    task = project.tasks[4]  # the middle
    ids = project.ids(task)
    numbers, sizes = np.unique(ids[ids > 0], return_counts=True)
    lacking: BoolMask = ids == numbers[sizes.argmax()]
    (prediction,) = studio.client.call("GET", f"tasks/{task['id']}")["predictions"]
    drawn = masks_in(prediction["result"])
    gone = [each["id"] for each in drawn if is_of(each, lacking)]
    assert len(gone) == 1
    known = [each for each in prediction["result"] if each["id"] not in gone]
    path = f"tasks/{task['id']}/annotations"
    made = studio.client.call("POST", path, json={"result": known})
    click = Clicker(lacking).next_click(np.zeros_like(lacking))
    assert click is not None
    with open_editor(chromium, studio.url) as editor:
        editor.open(project.id, task["id"], auto_accept=True)
        answer = editor.click((click.point.x + 0.5) / SIDE, (click.point.y + 0.5) / SIDE)
        found = answered(answer)
        editor.screenshot(artifacts / "editor-tiles.png")
        pictures.keep(pictures.TILE, editor.picture(panels=True))
        assert len(set(editor.ids())) == len(drawn)
    studio.client.call("DELETE", f"annotations/{made['id']}")
    assert Clicker(lacking).iou(mask_of(found)) > 0.85


def masks_in(results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The results that are masks; beside each stands one with its label."""
    return [each for each in results if each["type"] == "brush"]


def answered(body: dict[str, Any]) -> dict[str, Any]:
    """The only mask of an answer."""
    (found,) = masks_in(body["data"]["result"])
    return found


def labelled(mask: BoolMask, label: str, key: str) -> list[dict[str, Any]]:
    """A mask as this labelling config has it: a brush region, and its label."""
    drawn = {**region(mask, label, key), "type": "brush"}
    del drawn["value"]["brushlabels"]
    own = {"type": "labels", "from_name": "label", "value": {"labels": [label]}}
    return [drawn, {**drawn, **own}]


def mask_of(result: dict[str, Any]) -> BoolMask:
    mask: BoolMask = decode_brush(result["value"]["rle"], Size(SIDE, SIDE)) > OPAQUE
    return mask


def is_of(result: dict[str, Any], truth: BoolMask) -> bool:
    mask = mask_of(result)
    return bool(np.count_nonzero(mask & truth) > 0.5 * np.count_nonzero(mask))


def keep_map(project: Project, folder: Path) -> None:
    """Draw what came back, with the borders of the tiles, for the documentation."""
    colours = np.array([(70, 80, 70), (30, 144, 255), (255, 165, 0)], dtype=np.uint8)
    image = Image.fromarray(colours[raster(folder / "world_mask.tif")])
    draw = ImageDraw.Draw(image)
    for tile in project.tiles.tiles:
        box: Box = tile.box
        draw.rectangle((box.left, box.top, box.right - 1, box.bottom - 1), outline="white", width=3)
    path = folder / "map.png"
    image.resize((750, 750), Image.Resampling.LANCZOS).save(path)
    pictures.keep(pictures.STITCHED, path.read_bytes())
