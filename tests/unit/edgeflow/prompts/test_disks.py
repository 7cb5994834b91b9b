from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from edgeflow.geometry import NetworkPoint, Size
from edgeflow.prompts.disks import DISK_RADIUS, disk_pixels
from tests.unit.edgeflow.samples import disk_maps

SIZE = Size(height=40, width=60)
COORDINATES = st.floats(-30, 90)
POINTS = st.tuples(st.builds(NetworkPoint, COORDINATES, COORDINATES), st.booleans())


def brute_force_disks(
    points: list[tuple[NetworkPoint, bool]], size: Size, radius: float
) -> npt.NDArray[np.float32]:
    maps = np.zeros((2, *size), np.float32)
    for (row, col), positive in points:
        for r in range(size.height):
            for c in range(size.width):
                if (r - row) * (r - row) + (c - col) * (c - col) <= radius * radius:
                    maps[0 if positive else 1, r, c] = 1.0
    return maps


@pytest.mark.slow
@given(
    st.lists(POINTS, max_size=4),
    st.builds(Size, st.integers(1, 24), st.integers(1, 24)),
    st.floats(0, 12) | st.just(DISK_RADIUS),
)
@example([(NetworkPoint(-5.0, 3.0), True)], Size(8, 8), 5.0)
@example([(NetworkPoint(12.0, 3.0), False)], Size(8, 8), 5.0)
@example([(NetworkPoint(3.0, 3.0), True)], Size(8, 8), 0.0)
def test_disks_equal_a_pixel_by_pixel_drawing(
    points: list[tuple[NetworkPoint, bool]], size: Size, radius: float
) -> None:
    maps = disk_maps(points, size, radius)
    assert maps.dtype == np.float32
    np.testing.assert_array_equal(maps, brute_force_disks(points, size, radius))


def test_a_disk_of_the_default_radius_has_81_pixels() -> None:
    maps = disk_maps([(NetworkPoint(20, 30), True)], SIZE)
    assert maps[0].sum() == 81
    assert maps[0, 15, 30] == maps[0, 25, 30] == maps[0, 20, 25] == maps[0, 20, 35] == 1
    assert maps[0, 14, 30] == maps[0, 26, 30] == 0


def test_positive_and_negative_clicks_have_maps_of_their_own() -> None:
    maps = disk_maps([(NetworkPoint(10, 10), True), (NetworkPoint(30, 50), False)], SIZE)
    assert maps[0, 10, 10] == 1
    assert maps[0, 30, 50] == 0
    assert maps[1, 10, 10] == 0
    assert maps[1, 30, 50] == 1


def test_overlapping_disks_stay_at_one() -> None:
    maps = disk_maps([(NetworkPoint(10, 10), True), (NetworkPoint(11, 12), True)], SIZE)
    assert maps.max() == 1.0


def test_no_clicks_give_blank_maps() -> None:
    assert not disk_maps([], SIZE).any()


def test_a_disk_far_outside_leaves_nothing() -> None:
    points = [(NetworkPoint(1e9, 5), True), (NetworkPoint(5, -1e9), False)]
    assert not disk_maps(points, SIZE).any()


@given(st.lists(POINTS, max_size=4))
def test_disk_pixels_are_int64_positions_in_the_flattened_maps(
    points: list[tuple[NetworkPoint, bool]],
) -> None:
    drawn = brute_force_disks(points, SIZE, DISK_RADIUS)
    pixels = disk_pixels(points, SIZE)
    assert pixels.dtype == np.int64
    assert set(pixels.tolist()) == set(np.flatnonzero(drawn).tolist())
