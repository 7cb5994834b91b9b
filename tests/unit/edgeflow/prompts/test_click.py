from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from edgeflow.errors import PromptError
from edgeflow.geometry import ImagePoint, NetworkPoint, Size
from edgeflow.prompts.click import Click, check_clicks, prefix_digests
from edgeflow.prompts.disks import DISK_RADIUS, disk_maps, disk_pixels
from tests.unit.edgeflow.samples import click, negative

SIZE = Size(height=40, width=60)
COORDINATES = st.floats(-30, 90)
POINTS = st.tuples(st.builds(NetworkPoint, COORDINATES, COORDINATES), st.booleans())
FINITE = st.floats(allow_nan=False, allow_infinity=False)
CLICKS = st.builds(Click, st.builds(ImagePoint, FINITE, FINITE), st.booleans())


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


@given(st.lists(CLICKS, max_size=5), st.text(max_size=20))
def test_a_prefix_has_the_digest_that_it_has_alone(clicks: list[Click], seed: str) -> None:
    digests = prefix_digests(seed, clicks)
    assert len(digests) == len(clicks) + 1
    for count in range(len(clicks) + 1):
        assert digests[count] == prefix_digests(seed, clicks[:count])[-1]
        assert len(digests[count]) == 32


@given(st.lists(CLICKS, max_size=4), st.lists(CLICKS, max_size=4))
def test_other_clicks_have_another_digest(one: list[Click], other: list[Click]) -> None:
    same = [(*c.point, c.positive) for c in one] == [(*c.point, c.positive) for c in other]
    if same and any(0.0 in c.point for c in one):
        return  # 0.0 and -0.0 are equal and may be told apart: that costs work, not correctness
    assert (prefix_digests("seed", one)[-1] == prefix_digests("seed", other)[-1]) is same


def last(*clicks: Click, seed: str = "seed") -> bytes:
    return prefix_digests(seed, clicks)[-1]


def test_the_digest_depends_on_the_order() -> None:
    assert last(click(1, 2), click(3, 4)) != last(click(3, 4), click(1, 2))


def test_the_digest_depends_on_the_sign() -> None:
    assert last(click(1, 2)) != last(negative(1, 2))


def test_the_digest_tells_x_from_y() -> None:
    assert last(click(1, 2)) != last(click(2, 1))


def test_the_digest_sees_the_smallest_move() -> None:
    assert last(click(10, 2)) != last(click(math.nextafter(10, 11), 2))


def test_the_digest_depends_on_the_seed() -> None:
    assert last(click(1, 2)) != last(click(1, 2), seed="other")
    assert prefix_digests("a", [])[0] != prefix_digests("b", [])[0]


def test_the_digest_does_not_depend_on_the_number_type() -> None:
    assert last(click(1, 2)) == last(click(1.0, 2.0))


def test_the_same_click_twice_is_not_the_same_as_once() -> None:
    assert last(click(1, 2), click(1, 2)) != last(click(1, 2))


@pytest.mark.parametrize(
    ("x", "y"), [(0, 0), (59, 39), (-0.5, -0.5), (59.5, 39.5), (59.5, 0), (0, 39.5), (30.25, 7.75)]
)
def test_clicks_on_the_image_are_accepted(x: float, y: float) -> None:
    check_clicks([click(x, y)], SIZE)


@pytest.mark.parametrize(
    ("x", "y"), [(-0.51, 5), (59.51, 5), (5, -0.51), (5, 39.51), (39, 59), (1e30, 5), (-1, -1)]
)
def test_a_click_outside_is_refused_by_number_place_and_image_size(x: float, y: float) -> None:
    with pytest.raises(PromptError) as caught:
        check_clicks([click(1, 1), negative(2, 2), click(x, y)], SIZE)
    assert "click 3" in caught.value.message
    assert f"x={x:g}, y={y:g}" in caught.value.message
    assert "60×40" in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("axis", ["x", "y"])
def test_a_click_without_finite_coordinates_is_refused_by_number(bad: float, axis: str) -> None:
    point = ImagePoint(1, 1)._replace(**{axis: bad})
    with pytest.raises(PromptError, match="click 2 has no finite coordinates") as caught:
        check_clicks([click(1, 1), Click(point)], SIZE)
    assert caught.value.hint


def test_the_first_bad_click_is_the_one_named() -> None:
    with pytest.raises(PromptError, match="click 1 "):
        check_clicks([click(-5, 1), click(-6, 1)], SIZE)


def test_no_clicks_are_no_bad_clicks() -> None:
    check_clicks([], SIZE)


@given(st.lists(POINTS, max_size=4))
def test_disk_pixels_are_where_the_maps_are_one(points: list[tuple[NetworkPoint, bool]]) -> None:
    drawn = np.zeros((2, *SIZE), np.float32)
    pixels = disk_pixels(points, SIZE)
    drawn.reshape(-1)[pixels] = 1.0
    assert pixels.dtype == np.int64
    np.testing.assert_array_equal(drawn, disk_maps(points, SIZE))
