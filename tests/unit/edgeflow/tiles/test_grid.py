"""Windows of a large picture."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeflow.geometry import Box, Size
from edgeflow.tiles.grid import Grid

lengths = st.integers(1, 60)


@settings(deadline=None)
@given(lengths, lengths, st.integers(1, 40), st.data())
def test_every_pixel_is_in_a_window_of_full_size(
    height: int, width: int, side: int, data: st.DataObject
) -> None:
    overlap = data.draw(st.integers(0, max(side // 2, 1) - 1))
    grid = Grid(Size(height, width), side, overlap)
    seen = np.zeros((height, width), dtype=np.bool_)
    windows = list(grid.windows())
    for box in windows:
        assert box.size == (min(side, height), min(side, width))
        assert box.intersection(Box.whole(grid.size)) == box
        seen[box.slices] = True
    assert seen.all()
    assert len(set(windows)) == len(windows) == len(grid)


@settings(deadline=None)
@given(st.integers(1, 3000), st.integers(2, 200), st.data())
def test_neighbours_share_the_overlap(length: int, side: int, data: st.DataObject) -> None:
    overlap = data.draw(st.integers(0, side - 1))
    tops = [box.top for box in Grid(Size(length, 1), side, overlap).windows()]
    shared = [one + side - other for one, other in pairwise(tops)]
    assert all(each == overlap for each in shared[:-1])
    assert all(each >= overlap for each in shared[-1:])


def test_the_last_window_is_aligned_to_the_border() -> None:
    """A grid of whole steps would miss the last pixels of such a picture."""
    last = list(Grid(Size(20_000, 20_000)).windows())[-1]
    assert last == Box(20_000 - 1024, 20_000 - 1024, 20_000, 20_000)


def test_windows_come_row_by_row() -> None:
    windows = list(Grid(Size(25, 25), 10, 0).windows())
    assert windows == sorted(windows)


@pytest.mark.parametrize(
    ("size", "side", "overlap"), [((0, 9), 4, 0), ((9, 9), 4, 4), ((9, 9), 4, -1), ((9, 9), 0, 0)]
)
def test_what_cannot_be_a_grid_is_refused(size: tuple[int, int], side: int, overlap: int) -> None:
    with pytest.raises(ValueError, match="no grid"):
        Grid(Size(*size), side, overlap)
