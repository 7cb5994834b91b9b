"""Tiles as Label Studio's tasks."""

from __future__ import annotations

from typing import NamedTuple

from edgeflow.label_studio.values import JSONObject
from edgeflow.tiles.sidecar import Tile, TileSet

IMAGE = "image"
"""Key of a task's data with its tile's URL."""

TILES, TILE = "tiles", "tile"
"""Keys that say of which picture, and which tile of it, the task is."""


class TileKey(NamedTuple):
    """By what a task's tile is known again.

    Attributes:
        tiles: The :attr:`~edgeflow.tiles.sidecar.TileSet.id`.
        tile: The :attr:`~edgeflow.tiles.sidecar.Tile.name`.
    """

    tiles: str
    tile: str


def task_data(tiles: TileSet, tile: Tile, url: str) -> JSONObject:
    """A task's data.

    Args:
        tiles: The picture's tiles.
        tile: One of them.
        url: Where Label Studio finds its image.
    """
    box = tile.box
    return {
        IMAGE: url,
        TILES: tiles.id,
        TILE: tile.name,
        "source": tiles.source,
        "window": {
            "x": box.left,
            "y": box.top,
            "width": box.size.width,
            "height": box.size.height,
        },
    }


def tile_key(data: object) -> TileKey | None:
    """Which tile a task shows; None if it does not say so.

    Args:
        data: A task's, untrusted.
    """
    if not isinstance(data, dict):
        return None
    tiles, tile = data.get(TILES), data.get(TILE)
    return TileKey(tiles, tile) if isinstance(tiles, str) and isinstance(tile, str) else None
