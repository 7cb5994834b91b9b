"""A made-up piece of the earth of any size: a GeoTIFF, and all that is on it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pyogrio.raw
import rasterio
import rasterio.features
import rasterio.shutil
import shapely
from affine import Affine
from rasterio.windows import Window
from shapely.geometry import LineString, Point, Polygon, box
from shapely.geometry.base import BaseGeometry
from shapely.ops import split

from edgeflow.geometry import Box, Size
from edgeflow.label_studio.brush_rle import encode_brush
from edgeflow.tiles.sidecar import TileSet

LABELS = ("Building", "Pond")
UTM = "EPSG:32633"
PIXEL = 0.3
"""Side in metres."""
NORTH_UP = Affine(PIXEL, 0, 500_000, 0, -PIXEL, 5_600_000)

BLOCK = 512

Shape = TypeVar("Shape", bound=BaseGeometry)

Ids = npt.NDArray[np.int32]
"""H×W: 0, or the number of the thing that the pixel shows."""


@dataclass(frozen=True, eq=False)
class Thing:
    """Something on the ground.

    Attributes:
        label: What it is.
        shape: Its outline in pixels from the picture's top left corner.
    """

    label: str
    shape: Polygon


@dataclass(frozen=True, eq=False)
class World:
    """A picture's content: things that share no pixel."""

    size: Size
    things: tuple[Thing, ...]
    crs: str | None = UTM
    transform: Affine = NORTH_UP

    @cached_property
    def masks(self) -> list[tuple[Box, npt.NDArray[np.bool_]]]:
        """Of each thing its box, and which pixels' centres lie in it.

        Each is made once, since a rasterizer rounds differently in different windows.
        """
        made = []
        for each in self.things:
            left, top, right, bottom = each.shape.bounds
            place = Box(int(top), int(left), int(np.ceil(bottom)), int(np.ceil(right)))
            origin = Affine.translation(place.left, place.top)
            mask = rasterio.features.rasterize([each.shape], place.size, transform=origin)
            made.append((place, mask.astype(np.bool_)))
        return made

    def ids(self, window: Box) -> Ids:
        """Which thing each pixel of a window shows."""
        made = np.zeros(window.size, dtype=np.int32)
        for number, (place, mask) in enumerate(self.masks, start=1):
            common = place.intersection(window)
            if common.area:
                seen = mask[common.shifted(-place.top, -place.left).slices]
                made[common.shifted(-window.top, -window.left).slices][seen] = number
        return made


def make_world(size: Size, count: int, seed: int = 0) -> World:
    """A world with so many things, each in a cell of its own.

    Every fourth has a hole, every eighth of these a thing in the hole; every tenth is two that
    touch; those of the last row and column reach over the picture's border.
    """
    rng = np.random.default_rng(seed)
    cells = int(np.ceil(np.sqrt(count / 1.1)))
    down, across = size.height / cells, size.width / cells
    things: list[Thing] = []
    order = [divmod(int(cell), cells) for cell in rng.permutation(cells * cells)]
    order.sort(key=lambda cell: max(cell) < cells - 1)  # the borders first
    picture = box(0, 0, size.width, size.height)
    for number, (row, col) in enumerate(order):
        if len(things) >= count:
            break
        radius = min(down, across) * rng.uniform(0.33, 0.42)
        x = size.width - radius / 2 if col == cells - 1 else (col + 0.5) * across
        y = size.height - radius / 2 if row == cells - 1 else (row + 0.5) * down
        label = LABELS[number % 3 == 0]
        shape: BaseGeometry = _star(rng, x, y, radius)
        inner: list[Thing] = []
        if number % 4 == 1:
            hole = Point(x, y).buffer(radius * 0.35, 8)
            shape = shape.difference(hole)
            if number % 32 == 1:
                inner = [Thing(LABELS[1], Point(x, y).buffer(radius * 0.2, 6))]
        parts: list[BaseGeometry] = [shape]
        if number % 10 == 3:
            parts = list(split(shape, LineString([(x - 9e9, y - 2e9), (x + 9e9, y + 2e9)])).geoms)
        parts = [part.intersection(picture) for part in parts]
        things += [Thing(label, part) for part in parts if isinstance(part, Polygon)]
        things += [each for each in inner if picture.contains(each.shape)]
    return World(size, tuple(things[:count]))


def _star(rng: np.random.Generator, x: float, y: float, radius: float) -> Polygon:
    turns = np.sort(rng.uniform(0, 2 * np.pi, 4)) / 8 + np.linspace(0, 2 * np.pi, 4, endpoint=False)
    turns = np.concatenate([turns, turns + 0.4])
    turns.sort()
    far = radius * rng.uniform(0.85, 1, len(turns))
    return Polygon(np.stack([x + far * np.cos(turns), y + far * np.sin(turns)], axis=1))


def write_cog(path: Path, world: World, *, bands: int = 4, dtype: str = "uint16") -> None:
    """The world as a picture: ground that slopes, things that are brighter, some noise."""
    height, width = world.size
    raw = path.with_suffix(".raw.tif")
    rng = np.random.default_rng(1)
    noise = rng.integers(0, 8, (BLOCK, BLOCK)).astype(np.float32)
    scale = 1 if dtype == "uint8" else 16
    with rasterio.open(
        raw, "w", driver="GTiff", height=height, width=width, count=bands, dtype=dtype,
        crs=world.crs, transform=world.transform, tiled=True, blockxsize=BLOCK, blockysize=BLOCK,
        interleave="pixel", BIGTIFF="IF_SAFER",
    ) as file:  # fmt: skip
        for window in _blocks(world.size):
            ids = world.ids(window)
            slope = np.add.outer(
                40 * np.arange(window.top, window.bottom) / height,
                40 * np.arange(window.left, window.right) / width,
            )
            ground = 20 + slope + noise[: ids.shape[0], : ids.shape[1]]
            bright = np.where(ids > 0, 90 + 7 * (ids % 5), 0)
            layers = [scale * (ground + bright * (0.6 + 0.1 * band)) for band in range(bands)]
            place = Window(window.left, window.top, window.size.width, window.size.height)
            file.write(np.stack(layers).astype(dtype), window=place)
    rasterio.shutil.copy(
        raw, path, driver="COG", compress="deflate", level=1, predictor=2, num_threads="all_cpus"
    )
    raw.unlink()


def _blocks(size: Size) -> Iterator[Box]:
    for top in range(0, size.height, BLOCK):
        for left in range(0, size.width, BLOCK):
            yield Box(top, left, min(top + BLOCK, size.height), min(left + BLOCK, size.width))


def write_vectors(path: Path, world: World, driver: str = "GPKG") -> None:
    """The world's things as a vector layer."""
    shapes = [on_map(each.shape, world.transform) for each in world.things]
    pyogrio.raw.write(
        str(path),
        np.array([shapely.to_wkb(each) for each in shapes], dtype=object),
        [np.array([each.label for each in world.things], dtype=object)],
        ["label"],
        driver=driver,
        geometry_type="Polygon",
        crs=world.crs,
    )


def on_map(shape: Shape, transform: Affine) -> Shape:
    """A shape in pixels as one in units of the map."""
    a, b, c, d, e, f = tuple(transform)[:6]

    def move(points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        x, y = points.T
        return np.stack([a * x + b * y + c, d * x + e * y + f], axis=1)

    moved: Shape = shapely.transform(shape, move)
    return moved


def region(mask: npt.NDArray[np.bool_], label: str, key: str) -> dict[str, Any]:
    """A brush region."""
    height, width = mask.shape
    value = {"format": "rle", "rle": list(encode_brush(mask)), "brushlabels": [label]}
    return {
        "id": key, "type": "brushlabels", "from_name": "mask", "to_name": "image",
        "original_width": width, "original_height": height, "value": value,
    }  # fmt: skip


def annotated(
    world: World, tiles: TileSet, tasks: Sequence[dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    """Tasks as the API lists them, annotated with all that there is on their tiles."""
    boxes = {tile.name: tile.box for tile in tiles.tiles}
    for number, task in enumerate(tasks, start=1):
        ids = world.ids(boxes[task["data"]["tile"]])
        results = [
            region(ids == each, world.things[each - 1].label, f"r{each}")
            for each in np.unique(ids[ids > 0]).tolist()
        ]
        annotation = {
            "id": number, "completed_by": 7, "result": results, "was_cancelled": False,
        }  # fmt: skip
        yield {"id": number, "data": task["data"], "annotations": [annotation]}


def write_export(path: Path, tasks: Iterator[dict[str, Any]]) -> None:
    """Tasks as an export file, one at a time."""
    with path.open("w") as file:
        file.write("[")
        for number, task in enumerate(tasks):
            file.write(("," if number else "") + json.dumps(task))
        file.write("]")
