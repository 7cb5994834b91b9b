from __future__ import annotations

import numpy as np

from edgeflow.annotated import DrawnBox, upright_box
from edgeflow.geometry import Size

SIZE = Size(40, 60)


def box(*corners: tuple[float, float]) -> DrawnBox | None:
    return upright_box(np.array(corners, dtype=np.float64), SIZE)


def test_an_upright_box_is_itself() -> None:
    assert box((1, 2), (11, 2), (11, 5), (1, 5)) == DrawnBox(1, 2, 10, 3)


def test_a_upright_box_is_held_by_an_upright_one() -> None:
    assert box((10, 0), (20, 10), (10, 20), (0, 10)) == DrawnBox(0, 0, 20, 20, turned=True)


def test_a_box_ends_where_its_image_ends() -> None:
    assert box((-5, -5), (70, -5), (70, 9), (-5, 9)) == DrawnBox(0, 0, 60, 9)


def test_a_box_outside_the_image_or_without_area_is_none() -> None:
    assert box((70, 1), (80, 1), (80, 9), (70, 9)) is None
    assert box((5, 1), (5, 1), (5, 9), (5, 9)) is None
