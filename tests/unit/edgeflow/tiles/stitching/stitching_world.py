"""Tile sets, and what is drawn on them, without images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from affine import Affine
from rasterio.crs import CRS

from edgeflow.agreement.packed import PackedMask
from edgeflow.geometry import Size
from edgeflow.masks.patch import MaskPatch
from edgeflow.tiles.grid import Grid
from edgeflow.tiles.sidecar import Tile, TileSet, write_tile_set
from edgeflow.tiles.stitching.objects import Stitched, stitched
from edgeflow.tiles.stitching.pieces import Piece, cropped
from edgeflow.tiles.tasks import task_data
from tests.geo_world import NORTH_UP, UTM

SIZE = Size(300, 400)


def tile_set(
    size: Size = SIZE,
    crs: str | None = UTM,
    transform: Affine | None = NORTH_UP,
    *,
    side: int = 200,
    overlap: int = 40,
    source: str = "town.tif",
    id: str = "0" * 32,
) -> TileSet:
    return TileSet(
        id=id,
        source=source,
        size=size,
        crs=CRS.from_string(crs).to_wkt() if crs is not None else None,
        transform=tuple(transform)[:6] if transform is not None else None,
        side=side,
        overlap=overlap,
        bands=(1,),
        tiles=tuple(
            Tile(name=f"{Path(source).stem}-{number}.png", box=box)
            for number, box in enumerate(Grid(size, side, overlap).windows())
        ),
    )


def tasks_of(tiles: TileSet) -> list[dict[str, Any]]:
    return [
        {"id": number, "data": task_data(tiles, tile, f"/data/{tile.name}"), "annotations": []}
        for number, tile in enumerate(tiles.tiles, start=1)
    ]


def written(folder: Path, tiles: TileSet) -> Path:
    path = folder / f"{Path(tiles.source).stem}.tiles.json"
    write_tile_set(path, tiles)
    return path


def pieces_of(
    tiles: TileSet, masks: Sequence[tuple[str | None, npt.NDArray[np.bool_]]]
) -> list[Piece]:
    """What there is of masks of the whole picture on each tile."""
    found = []
    for number, tile in enumerate(tiles.tiles):
        for label, mask in masks:
            part = cropped(MaskPatch.of(mask), tile.box)
            if part is not None:
                found.append(Piece(label, PackedMask.of(part), number))
    return found


def drawn_on(tiles: TileSet, *masks: tuple[str | None, npt.NDArray[np.bool_]]) -> Stitched:
    return stitched(tiles, pieces_of(tiles, masks))


def rectangle(size: Size, top: int, left: int, bottom: int, right: int) -> npt.NDArray[np.bool_]:
    mask = np.zeros(size, dtype=np.bool_)
    mask[top:bottom, left:right] = True
    return mask
