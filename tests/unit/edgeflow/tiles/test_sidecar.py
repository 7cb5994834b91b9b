"""The file that says what a picture's tiles are."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from edgeflow.geometry import Box, Size
from edgeflow.tiles.errors import TilesError
from edgeflow.tiles.sidecar import Stretch, Tile, TileSet, read_tile_set, write_tile_set

TILES = TileSet(
    id="0" * 32,
    source="Luftbild Süd.tif",
    size=Size(30, 40),
    crs='PROJCS["UTM zone 32N"]',
    transform=(0.5, 0.0, 1000.0, 0.0, -0.5, 5000.0),
    nodata=0,
    side=24,
    overlap=8,
    bands=(3, 2, 1),
    stretch=(Stretch(low=1, high=9), Stretch(low=2, high=8.5), Stretch(low=0, high=1)),
    tiles=(Tile(name="a.png", box=Box(0, 0, 24, 24)), Tile(name="b.png", box=Box(6, 16, 30, 40))),
)


def written(folder: Path, **changes: Any) -> Path:
    path = folder / "a.tiles.json"
    write_tile_set(path, TILES)
    document = json.loads(path.read_bytes())
    path.write_text(json.dumps({**document, **changes}), encoding="utf-8")
    return path


@pytest.mark.parametrize("nodata", [None, 0.0, -9999.0, math.inf])
def test_what_is_written_is_read(tmp_path: Path, nodata: float | None) -> None:
    tiles = TILES.model_copy(update={"nodata": nodata})
    write_tile_set(tmp_path / "a.tiles.json", tiles)
    assert read_tile_set(tmp_path / "a.tiles.json") == tiles


def test_nodata_that_is_no_number_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.tiles.json"
    write_tile_set(path, TILES.model_copy(update={"nodata": math.nan}))
    assert math.isnan(read_tile_set(path).nodata or 0)
    json.loads(path.read_bytes(), parse_constant=pytest.fail)


def test_a_picture_without_tiles_and_place(tmp_path: Path) -> None:
    bare = TileSet(id="a" * 32, source="a.png", size=Size(1, 1), side=9, overlap=0, bands=(1,))
    write_tile_set(tmp_path / "a.tiles.json", bare)
    assert read_tile_set(tmp_path / "a.tiles.json") == bare
    assert bare.georeference.transform is None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"format": 2}, "format"),
        ({"id": "../../etc"}, "id"),
        ({"source": "/etc/passwd"}, "plain file name"),
        ({"tiles": [{"name": "../a.png", "box": [0, 0, 9, 9]}]}, "plain file name"),
        ({"tiles": [{"name": "a.png", "box": [0, 0, 9, 9]}] * 2}, "one name"),
        ({"tiles": [{"name": "a.png", "box": [0, 0, 31, 9]}]}, "outside"),
        ({"tiles": [{"name": "a.png", "box": [9, 9, 0, 0]}]}, "outside"),
        ({"tiles": [{"name": "a.png", "box": [-1, 0, 9, 9]}]}, "outside"),
        ({"tiles": [{"name": "a.png", "box": [0, 0, 9]}]}, "box"),
        ({"size": [0, 40]}, "without pixels"),
        ({"size": [1 << 40, 40]}, "too many"),
        ({"overlap": 24}, "whole side"),
        ({"transform": [0, 0, 0, 0, 0, 0]}, "turned back"),
        ({"transform": [1, 0, 0]}, "transform"),
        ({"bands": []}, "bands"),
        ({"unknown": 1}, "unknown"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(TilesError, match=r"not a list of tiles") as caught:
        read_tile_set(written(tmp_path, **changes))
    assert said in caught.value.message


@pytest.mark.parametrize("text", ["", "[]", "null", "{", "[" * 100_000, "\0"])
def test_what_is_no_such_file_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.tiles.json"
    path.write_text(text)
    with pytest.raises(TilesError, match="not a list of tiles"):
        read_tile_set(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(TilesError, match=r"no list of tiles at .*nothing"):
        read_tile_set(tmp_path / "nothing.tiles.json")


def test_a_file_of_endless_size_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "a.tiles.json"
    with path.open("wb") as file:
        file.truncate(2 << 30)
    with pytest.raises(TilesError, match="too large"):
        read_tile_set(path)
