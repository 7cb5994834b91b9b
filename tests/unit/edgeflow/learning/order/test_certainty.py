from __future__ import annotations

import pytest

from edgeflow.geometry import ImagePoint, Size
from edgeflow.learning.order.certainty import Answer, Sizes, certainty, grid

IMAGE = Size(40, 80)


def test_the_grid_lies_evenly_on_the_image() -> None:
    assert grid(IMAGE, side=2) == [(20, 10), (60, 10), (20, 30), (60, 30)]


def test_a_single_pixel_is_clicked_inside_it() -> None:
    assert all(0 <= x < 1 and 0 <= y < 1 for x, y in grid(Size(1, 1)))


def test_each_place_is_clicked_once_and_the_mean_counts() -> None:
    clicked: list[ImagePoint] = []

    def click(point: ImagePoint) -> Answer:
        clicked.append(point)
        return Answer(0.9, 1.0 if point.x < 40 else 0.0)

    assert certainty(click, IMAGE, None) == pytest.approx(0.5)
    assert clicked == grid(IMAGE)


def test_answers_of_a_size_that_nobody_accepts_count_for_nothing() -> None:
    def click(point: ImagePoint) -> Answer:
        return Answer(0.02 if point.x < 40 else 0.6, 0.8)

    assert certainty(click, IMAGE, Sizes(0.01, 0.05)) == pytest.approx(0.4)


def test_usual_sizes_leave_out_the_extremes() -> None:
    sizes = Sizes.of([0.9, *(0.01 * n for n in range(1, 21))])
    assert sizes is not None
    assert 0.01 < sizes.least < 0.05
    assert 0.15 < sizes.most < 0.25


def test_a_handful_of_objects_does_not_say_what_is_usual() -> None:
    assert Sizes.of([0.1] * 9) is None
    assert Sizes.of([0.1] * 10) == pytest.approx((0.1, 0.1))
