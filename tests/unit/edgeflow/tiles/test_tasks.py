"""Tiles as tasks."""

import pytest

from edgeflow.geometry import Box, Size
from edgeflow.tiles.sidecar import Tile, TileSet
from edgeflow.tiles.tasks import TileKey, task_data, tile_key

TILE = Tile(name="a_y0_x16.png", box=Box(0, 16, 24, 40))
TILES = TileSet(
    id="0" * 32, source="a.tif", size=Size(30, 40), side=24, overlap=8, bands=(1,), tiles=(TILE,)
)


def test_a_task_says_which_tile_it_shows() -> None:
    data = task_data(TILES, TILE, "/data/a_y0_x16.png")
    assert data["image"] == "/data/a_y0_x16.png"
    assert tile_key(data) == TileKey(TILES.id, TILE.name)
    assert data["window"] == {"x": 16, "y": 0, "width": 24, "height": 24}


@pytest.mark.parametrize("data", [None, [], {}, {"tiles": "a"}, {"tiles": 1, "tile": "b"}])
def test_other_tasks_say_nothing(data: object) -> None:
    assert tile_key(data) is None
