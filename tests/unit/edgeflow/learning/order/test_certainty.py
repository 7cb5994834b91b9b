from __future__ import annotations

import pytest

from edgeflow.geometry import ImagePoint, Size
from edgeflow.learning.order.certainty import grid, look


def test_the_grid_lies_evenly_on_the_image() -> None:
    assert grid(Size(40, 80), side=2) == [(20, 10), (60, 10), (20, 30), (60, 30)]


def test_each_place_is_clicked_once_and_the_mean_counts() -> None:
    clicked: list[ImagePoint] = []

    def click(point: ImagePoint) -> float:
        clicked.append(point)
        return 1.0 if point.x < 40 else 0.0

    assert look(click, Size(40, 80)) == pytest.approx(0.5)
    assert clicked == grid(Size(40, 80))


def test_a_single_pixel_is_clicked_inside_it() -> None:
    assert all(0 <= x < 1 and 0 <= y < 1 for x, y in grid(Size(1, 1)))
