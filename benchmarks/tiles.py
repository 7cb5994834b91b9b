"""A large georeferenced picture to tiles and tasks, and back to its map: time, memory, exactness.

Usage: ``python -m benchmarks.tiles [--side 20000] [--things 500] [--folder DIR] [--json FILE]``.
The picture is a COG of four bands of 16 bits with things of known outlines
(``tests/geo_world.py``). It goes through ``edgeflow tile``, its tasks are annotated with the truth,
and ``edgeflow stitch`` puts them together; then a vector layer goes the same way as
pre-annotations. Fails if a bar is missed. Needs the extra ``geo``, and GDAL's own programs as
independent readers.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import rasterio.features
import shapely
from affine import Affine
from PIL import Image
from shapely.geometry.base import BaseGeometry

from benchmarks.peak import peak_kilobytes
from edgeflow.evaluate.machine import describe_machine
from edgeflow.geometry import Box, Size
from edgeflow.tiles.sidecar import TileSet, read_tile_set
from tests.gdal_tools import features, gdal, raster_info
from tests.geo_world import (
    World,
    annotated,
    make_world,
    on_map,
    write_cog,
    write_export,
    write_vectors,
)

MOST_SECONDS, MOST_MEGABYTES = 60.0, 1000.0
MARGIN = 8
"""Pixels around an object in which it is looked for what does not belong there."""

LEAST_IOU, MOST_AREA_ERROR, LEAST_ROUND_TRIP = 0.99, 0.005, 0.995


class Run(NamedTuple):
    """A command that was run.

    Attributes:
        seconds: By the clock.
        processor_seconds: Of all its threads.
        megabytes: The most memory that it held.
        said: What it printed last.
    """

    seconds: float
    processor_seconds: float
    megabytes: float
    said: str


def run(*arguments: object) -> Run:
    """Run an ``edgeflow`` command."""
    command = [sys.executable, "-m", "edgeflow.cli", *map(str, arguments)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    most = 0
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        while process.poll() is None:
            most = max(most, peak_kilobytes(process.pid))
            time.sleep(0.05)
        output.seek(0)
        said = output.read().decode()
    seconds = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}:\n{said}")
    return Run(round(seconds, 1), round(used, 1), round(most / 1024, 1), said[-2000:])


def differing_overlaps(folder: Path, tiles: TileSet) -> tuple[int, int]:
    """Of how many neighbours the overlaps were compared, and of how many they differ."""
    compared = differing = 0
    paths = {path.name: path for path in folder.rglob("*.png")}
    shown = [(each.box, paths[each.name]) for each in tiles.tiles]
    reach = tiles.side
    for (one, first), (other, second) in combinations(shown, 2):
        common = one.intersection(other)
        if not common.area or other.top - one.top > reach:
            continue
        compared += 1
        parts = []
        for box, path in ((one, first), (other, second)):
            with Image.open(path) as image:
                down, right = common.top - box.top, common.left - box.left
                frame = (right, down, right + common.size.width, down + common.size.height)
                parts.append(np.asarray(image.crop(frame)))
        differing += not np.array_equal(parts[0], parts[1])
    return compared, differing


def covered(shape: BaseGeometry, place: Box) -> npt.NDArray[np.bool_]:
    """Which pixels of a box, and of a margin around it, have their centre in a shape."""
    origin = Affine.translation(place.left - MARGIN, place.top - MARGIN)
    size = Size(place.size.height + 2 * MARGIN, place.size.width + 2 * MARGIN)
    made = rasterio.features.rasterize([shape], size, transform=origin)
    return np.asarray(made, dtype=np.bool_)


def compare(world: World, file: Path) -> dict[str, Any]:
    """A stitched layer beside the world: as outlines, and as pixels."""
    found = features(file)
    tree = shapely.STRtree([geometry for geometry, _ in found])
    ious, errors, across = [], [], 0
    of_pixels: list[float] = []
    back = ~world.transform
    for thing, (place, mask) in zip(world.things, world.masks, strict=True):
        shape = on_map(thing.shape, world.transform)
        places = tree.query(shape.representative_point(), predicate="within")
        if len(places) != 1 or found[places[0]][1]["label"] != thing.label:
            ious.append(0.0)
            continue
        geometry, row = found[places[0]]
        ious.append(geometry.intersection(shape).area / geometry.union(shape).area)
        errors.append(abs(row["area_m2"] / shape.area - 1))
        drawn = covered(on_map(geometry, back), place)
        truth = np.pad(mask, MARGIN)
        of_pixels.append(float(np.count_nonzero(drawn & truth) / np.count_nonzero(drawn | truth)))
        across += "," in row["tiles"]
    return {
        "objects": len(found),
        "across tiles": across,
        "valid": sum(bool(geometry.is_valid) for geometry, _ in found),
        "least IoU of outlines": round(min(ious), 5),
        "mean IoU of outlines": round(float(np.mean(ious)), 5),
        "largest error of an area": round(max(errors), 6),
        "least IoU of pixels": round(min(of_pixels, default=0.0), 5),
        "objects of just the truth's pixels": of_pixels.count(1.0),
    }


def accepted(tasks: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Tasks whose predictions an annotator has submitted as they were."""
    for number, task in enumerate(tasks, start=1):
        results = [each for found in task.get("predictions", ()) for each in found["result"]]
        annotation = {"id": number, "completed_by": 1, "result": results}
        yield {"id": number, "data": task["data"], "annotations": [annotation]}


def measure(folder: Path, side: int, count: int) -> tuple[dict[str, Any], list[str]]:
    """All figures, and the bars that were missed."""
    world = make_world(Size(side, side), count)
    picture, layer = folder / "world.tif", folder / "layer.gpkg"
    if not picture.exists():
        write_cog(picture, world)
    for made in ("tiles", "cut"):  # they would go on, and not begin
        shutil.rmtree(folder / made, ignore_errors=True)
    layer.unlink(missing_ok=True)
    write_vectors(layer, world)
    tiled = run("tile", picture, folder / "tiles")
    tiles = read_tile_set(folder / "tiles" / "world.tiles.json")
    tasks = json.loads((folder / "tiles" / "tasks.json").read_text())
    compared, differing = differing_overlaps(folder / "tiles", tiles)
    write_export(folder / "export.json", annotated(world, tiles, tasks))
    formats = "geotiff,gpkg,geojson,shp"
    sidecar = folder / "tiles" / "world.tiles.json"
    stitched = run(
        "stitch", sidecar, folder / "back", "--tasks", folder / "export.json", "--format", formats
    )
    by_truth = compare(world, folder / "back" / "world_objects.gpkg")
    cut = run("tile", picture, folder / "cut", "--vectors", layer, "--label-field", "label")
    drawn = json.loads((folder / "cut" / "tasks.json").read_text())
    write_export(folder / "accepted.json", accepted(drawn))
    sidecar = folder / "cut" / "world.tiles.json"
    again = run(
        *("stitch", sidecar, folder / "again", "--tasks", folder / "accepted.json"),
        *("--vectors", layer),
    )
    by_layer = compare(world, folder / "again" / "world_objects.gpkg")
    labels, source = (raster_info(path) for path in (folder / "back" / "world_mask.tif", picture))
    opened = [
        gdal("ogrinfo", "-so", "-al", folder / "back" / f"world_objects.{ending}")
        for ending in ("gpkg", "geojson", "shp")
    ]
    figures = {
        "picture": f"{side}×{side}, 4 bands of 16 bits, {picture.stat().st_size / 1e6:.0f} MB",
        "tiles": len(tiles.tiles),
        "tile": tiled._asdict(),
        "neighbours compared": compared,
        "neighbours that differ": differing,
        "stitch, all formats": stitched._asdict(),
        "by truth": by_truth,
        "tile with a layer": cut._asdict(),
        "stitch again": again._asdict(),
        "round trip of a layer": by_layer,
        "machine": describe_machine("no network"),
    }
    bars = {
        "tiled in time": tiled.seconds < MOST_SECONDS,
        "tiled in memory": tiled.megabytes < MOST_MEGABYTES,
        "stitched in memory": stitched.megabytes < MOST_MEGABYTES,
        "overlaps are identical": not differing,
        "object count": by_truth["objects"] == len(world.things),
        "every IoU": by_truth["least IoU of outlines"] >= LEAST_IOU,
        "every area": by_truth["largest error of an area"] <= MOST_AREA_ERROR,
        "every geometry valid": by_truth["valid"] == by_truth["objects"],
        "exact at the pixel": by_truth["objects of just the truth's pixels"] == len(world.things),
        "CRS": labels["coordinateSystem"]["wkt"] == source["coordinateSystem"]["wkt"],
        "transform": labels["geoTransform"] == source["geoTransform"],
        "ogrinfo": all(f"Feature Count: {len(world.things)}" in each for each in opened),
        "round trip": by_layer["least IoU of pixels"] >= LEAST_ROUND_TRIP
        and by_layer["least IoU of outlines"] >= LEAST_ROUND_TRIP
        and by_layer["objects"] == len(world.things),
    }
    return figures, [name for name, met in bars.items() if not met]


def main() -> None:
    """Measure, print, and fail if a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", type=int, default=20_000)
    parser.add_argument("--things", type=int, default=500)
    parser.add_argument("--folder", type=Path, help="keeps what is made")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        figures, missed = measure(folder, arguments.side, arguments.things)
    text = json.dumps(figures, indent=2, ensure_ascii=False)
    print(text)
    if arguments.json is not None:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_text(text + "\n")
    if missed:
        raise SystemExit(f"missed: {', '.join(missed)}")


if __name__ == "__main__":
    main()
