from __future__ import annotations

import cv2
import numpy as np

from edgeflow.propagate.hints import around, hints, inside


def test_the_first_point_is_the_deepest_and_the_others_are_far_from_it() -> None:
    mask = np.zeros((100, 100), dtype=np.bool_)
    mask[40:61, 10:90] = True
    points = inside(mask)
    assert len(points) == 3
    assert all(mask[int(point.row), int(point.col)] for point in points)
    assert points[0].row == 50
    assert min(abs(points[0].col - other.col) for other in points[1:]) > 15


def test_points_around_lie_on_all_sides_half_way_out() -> None:
    drawn = np.zeros((100, 100), dtype=np.uint8)
    cv2.circle(drawn, (50, 50), 20, 1, -1)
    points = around(drawn > 0)
    assert len(points) == 4
    for point in points:
        away = np.hypot(point.row - 50, point.col - 50) - 20
        assert 8 < away < 30


def test_there_is_no_point_where_there_is_no_room() -> None:
    mask = np.zeros((60, 60), dtype=np.bool_)
    mask[:, :40] = True
    assert {point.col >= 40 for point in around(mask)} == {True}
    assert around(np.ones((60, 60), dtype=np.bool_)) == []


def test_an_empty_mask_gives_no_hint() -> None:
    assert hints(np.zeros((60, 60), dtype=np.bool_)) == []
