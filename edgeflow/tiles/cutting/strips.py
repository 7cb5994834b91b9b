"""A picture's windows in an order in which each part of its file is read once.

Neighbours take the pixels that they share from the same memory. What is held is one strip of rows
as bytes, whatever the picture's length and type; very wide pictures go in several lanes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import groupby
from typing import NamedTuple

import numpy as np

from edgeflow.arrays import BoolMask
from edgeflow.geometry import Box
from edgeflow.tiles.grid import Grid
from edgeflow.tiles.sources.source import Description, Source, TilePixels

STRIP_BYTES = 192 << 20
"""Of the strip in memory."""

READ_PIXELS = 1 << 21
"""Read at once, about: samples may take eight times the bytes of their pixels."""

LEAST_ROWS = 64


class Cut(NamedTuple):
    """A tile's pixels.

    Attributes:
        box: Its window.
        pixels: H×W×C, a copy; None where there is no data at all.
    """

    box: Box
    pixels: TilePixels | None


def cut(source: Source, grid: Grid, wanted: Callable[[Box], bool]) -> Iterator[Cut]:
    """The windows of a picture, lane by lane and row by row.

    Args:
        source: The picture.
        grid: Its windows.
        wanted: Whether a window is needed; what none needs is not read.

    Raises:
        TilesError: The picture cannot be read.
    """
    for lane in _lanes(grid, source.about):
        strip = _Strip(source, lane[0].left, lane[-1].right)
        for row in _rows(grid, lane):
            needed = [box for box in row if wanted(box)]
            if needed:
                strip.bring(row[0].top, row[0].bottom)
                yield from map(strip.cut, needed)


def _lanes(grid: Grid, about: Description) -> Iterator[list[Box]]:
    """The windows of the grid's first row, in groups that a strip can hold."""
    first = next(group for _, group in groupby(grid.windows(), key=lambda box: box.top))
    rows = min(grid.side, grid.size.height) + _rows_read(about)
    most = max(STRIP_BYTES // (rows * (about.channels + 1)), grid.side)
    lane: list[Box] = []
    for box in first:
        if lane and box.right - lane[0].left > most:
            yield lane
            lane = []
        lane.append(box)
    yield lane


def _rows(grid: Grid, lane: list[Box]) -> Iterator[list[Box]]:
    """The windows below each other in a lane."""
    height = lane[0].size.height
    for top in grid.tops():
        yield [Box(top, box.left, top + height, box.right) for box in lane]


def _rows_read(about: Description) -> int:
    """Rows read at once: whole blocks, if they are not too high."""
    block = min(about.block.height, about.size.height)
    if block > 1024:
        return 256
    return block * max(-(-LEAST_ROWS // block), 1)


class _Strip:
    """Rows of a lane, which move down the picture."""

    def __init__(self, source: Source, left: int, right: int) -> None:
        self._source, self._about = source, source.about
        self._left, self._right = left, right
        self._start = self._stop = 0
        self._pixels: TilePixels = np.zeros((0, 0, 0), dtype=np.uint8)
        self._valid: BoolMask = np.zeros((0, 0), dtype=np.bool_)

    def bring(self, top: int, bottom: int) -> None:
        """Have these rows; what lies above them is dropped."""
        step = _rows_read(self._about)
        if not len(self._pixels):
            shape = (bottom - top + step, self._right - self._left)
            self._pixels = np.empty((*shape, self._about.channels), dtype=np.uint8)
            self._valid = np.empty(shape, dtype=np.bool_)
        if top >= self._stop:
            self._stop = top
        elif top > self._start:
            for held in (self._pixels, self._valid):
                kept = held[top - self._start : self._stop - self._start]
                held[: len(kept)] = kept  # NumPy minds the overlap
        self._start = top
        while self._stop < bottom:
            stop = min(self._stop - self._stop % step + step, self._about.size.height)
            self._read(self._stop, stop)
            self._stop = stop

    def _read(self, top: int, bottom: int) -> None:
        block = min(self._about.block.width, self._about.size.width)
        columns = max(READ_PIXELS // (bottom - top) // block, 1) * block
        left = self._left
        while left < self._right:
            right = min(left - left % columns + columns, self._right)
            shown = self._source.read(Box(top, left, bottom, right))
            place = Box(top, left, bottom, right).shifted(-self._start, -self._left).slices
            self._pixels[place] = shown.pixels
            self._valid[place] = True if shown.valid is None else shown.valid
            left = right

    def cut(self, box: Box) -> Cut:
        place = box.shifted(-self._start, -self._left).slices
        if not self._valid[place].any():
            return Cut(box, None)
        return Cut(box, self._pixels[place].copy())
