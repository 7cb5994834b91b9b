from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeflow.geometry import Box, ImagePoint, Size

SIDES = st.integers(1, 500)


@st.composite
def boxes(draw: st.DrawFn) -> Box:
    top, left = draw(st.integers(0, 300)), draw(st.integers(0, 300))
    return Box(top, left, top + draw(SIDES), left + draw(SIDES))


def test_the_whole_box_covers_the_image() -> None:
    box = Box.whole(Size(height=30, width=50))
    assert box == Box(top=0, left=0, bottom=30, right=50)
    assert box.size == Size(30, 50)
    assert box.area == 1500


@pytest.mark.parametrize("box", [Box(5, 5, 5, 9), Box(5, 5, 3, 9), Box(5, 5, 3, 2)])
def test_an_empty_or_inverted_box_has_no_area(box: Box) -> None:
    assert box.area == 0


@pytest.mark.parametrize(
    ("x", "y", "inside"),
    [
        (10, 20, True),
        (9.5, 19.5, True),
        (9.49, 20, False),
        (10, 19.49, False),
        (29.49, 49.49, True),
        (29.5, 30, False),
        (20, 49.5, False),
    ],
)
def test_a_box_contains_the_full_area_of_its_pixels(x: float, y: float, inside: bool) -> None:
    box = Box(top=20, left=10, bottom=50, right=30)
    assert box.contains(ImagePoint(x, y)) is inside


def test_slices_cut_a_box_out_of_an_array() -> None:
    pixels = np.arange(12).reshape(3, 4)
    np.testing.assert_array_equal(pixels[Box(1, 2, 3, 4).slices], [[6, 7], [10, 11]])


def test_a_shifted_box_keeps_its_size() -> None:
    assert Box(1, 2, 3, 5).shifted(10, 20) == Box(11, 22, 13, 25)


def test_the_intersection_is_the_common_rectangle() -> None:
    common = Box(0, 0, 20, 20).intersection(Box(10, 5, 40, 12))
    assert common == Box(10, 5, 20, 12)


def test_iou_of_a_known_pair() -> None:
    assert Box(0, 0, 10, 10).iou(Box(0, 5, 10, 15)) == pytest.approx(50 / 150)


def test_iou_of_two_empty_boxes_is_zero() -> None:
    assert Box(3, 3, 3, 3).iou(Box(3, 3, 3, 3)) == 0.0


def test_boxes_that_only_touch_share_nothing() -> None:
    assert Box(0, 0, 10, 10).iou(Box(10, 0, 20, 10)) == 0.0
    assert Box(0, 0, 10, 10).iou(Box(20, 20, 30, 30)) == 0.0


@given(boxes(), boxes())
def test_iou_is_symmetric_and_a_share(one: Box, other: Box) -> None:
    assert one.iou(other) == other.iou(one)
    assert 0.0 <= one.iou(other) <= 1.0
    assert one.iou(one) == 1.0


@given(boxes(), boxes())
def test_the_intersection_lies_in_both(one: Box, other: Box) -> None:
    common = one.intersection(other)
    if common.area:
        assert one.intersection(common) == common
        assert other.intersection(common) == common
        assert common.area <= min(one.area, other.area)


@pytest.mark.parametrize(
    ("point", "side", "box"),
    [
        (ImagePoint(50, 40), 20, Box(30, 40, 50, 60)),
        (ImagePoint(2, 77), 20, Box(60, 0, 80, 20)),
        (ImagePoint(99, 0), 20.4, Box(0, 80, 20, 100)),
        (ImagePoint(50, 40), 90, Box(0, 5, 80, 95)),
        (ImagePoint(50, 40), 0.2, Box(40, 50, 41, 51)),
    ],
)
def test_a_square_around_a_point_stays_in_the_image(
    point: ImagePoint, side: float, box: Box
) -> None:
    assert Box.around(point, side, Size(80, 100)) == box
