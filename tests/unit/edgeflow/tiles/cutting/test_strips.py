"""Reading a picture's windows."""

import dataclasses

import numpy as np
import pytest

from edgeflow.geometry import Box, Size
from edgeflow.tiles.cutting import strips
from edgeflow.tiles.cutting.strips import cut
from edgeflow.tiles.grid import Grid
from edgeflow.tiles.sources.source import Description, Shown


class Painted:
    """A picture in memory that counts what is read of it."""

    def __init__(self, size: Size, block: Size, channels: int = 3) -> None:
        self.about = Description(size, channels, block)
        self.pixels = np.random.default_rng(3).integers(0, 256, (*size, channels), dtype=np.uint8)
        self.valid = np.ones(size, dtype=np.bool_)
        self.reads = np.zeros(size, dtype=np.int64)
        self.boxes: list[Box] = []

    def read(self, box: Box) -> Shown:
        assert box.intersection(Box.whole(self.about.size)) == box
        self.boxes.append(box)
        self.reads[box.slices] += 1
        return Shown(self.pixels[box.slices], self.valid[box.slices])

    def close(self) -> None:
        pass


layouts = pytest.mark.parametrize(
    ("size", "block", "side", "overlap"),
    [
        ((300, 200), (16, 16), 64, 8),
        ((301, 199), (64, 32), 50, 37),
        ((130, 500), (1, 500), 64, 0),
        ((90, 90), (512, 512), 64, 16),
        ((20, 30), (4, 30), 64, 16),
        ((1, 1), (1, 1), 64, 16),
        ((4000, 20), (4000, 20), 64, 16),
    ],
)


@layouts
def test_tiles_are_the_pictures_pixels(
    size: tuple[int, int], block: tuple[int, int], side: int, overlap: int
) -> None:
    source = Painted(Size(*size), Size(*block))
    grid = Grid(Size(*size), side, overlap)
    tiles = list(cut(source, grid, lambda _: True))
    assert [tile.box for tile in tiles] == list(grid.windows())
    for tile in tiles:
        assert tile.pixels is not None
        assert (tile.pixels == source.pixels[tile.box.slices]).all()


@layouts
def test_every_pixel_is_read_once(
    size: tuple[int, int], block: tuple[int, int], side: int, overlap: int
) -> None:
    source = Painted(Size(*size), Size(*block))
    list(cut(source, Grid(Size(*size), side, overlap), lambda _: True))
    assert (source.reads == 1).all()


def test_reads_end_where_blocks_end() -> None:
    source = Painted(Size(700, 900), Size(128, 128))
    list(cut(source, Grid(Size(700, 900), 200, 20), lambda _: True))
    assert all(box.bottom % 128 == 0 or box.bottom == 700 for box in source.boxes)
    assert all(box.right % 128 == 0 or box.right == 900 for box in source.boxes)


def test_wide_pictures_go_in_lanes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strips, "STRIP_BYTES", 64 * 150 * 4)
    source, grid = Painted(Size(200, 900), Size(8, 8)), Grid(Size(200, 900), 64, 16)
    tiles = list(cut(source, grid, lambda _: True))
    assert {tile.box for tile in tiles} == set(grid.windows())
    assert len({box.left // 100 for box in source.boxes}) > 4
    assert max(box.size.width for box in source.boxes) < 200
    for tile in tiles:
        assert tile.pixels is not None
        assert (tile.pixels == source.pixels[tile.box.slices]).all()


def test_what_is_not_wanted_is_not_read() -> None:
    source, grid = Painted(Size(1000, 100), Size(10, 100)), Grid(Size(1000, 100), 100, 10)
    wanted = [box for box in grid.windows() if box.top in (0, 540)]
    tiles = list(cut(source, grid, wanted.__contains__))
    assert [tile.box for tile in tiles] == wanted
    assert source.reads.sum() < 1000 * 100 / 3
    for tile in tiles:
        assert tile.pixels is not None
        assert (tile.pixels == source.pixels[tile.box.slices]).all()


def test_windows_without_data_have_no_pixels() -> None:
    source, grid = Painted(Size(128, 64), Size(16, 16)), Grid(Size(128, 64), 64, 0)
    source.valid[:64] = False
    top, bottom = cut(source, grid, lambda _: True)
    assert top.pixels is None
    assert bottom.pixels is not None
    source.valid[10, 10] = True
    assert next(cut(source, grid, lambda _: True)).pixels is not None


def test_a_tile_is_not_changed_by_those_after_it() -> None:
    source, grid = Painted(Size(300, 64), Size(16, 64)), Grid(Size(300, 64), 64, 16)
    steps = cut(source, grid, lambda _: True)
    first = next(steps)
    before = first.pixels.copy() if first.pixels is not None else None
    list(steps)
    assert before is not None
    assert (first.pixels == before).all()


def test_grey_has_one_channel() -> None:
    source = Painted(Size(70, 70), Size(16, 16), channels=1)
    source.about = dataclasses.replace(source.about, bands=(1,))
    tile = next(cut(source, Grid(Size(70, 70), 64, 0), lambda _: True))
    assert tile.pixels is not None
    assert tile.pixels.shape == (64, 64, 1)
