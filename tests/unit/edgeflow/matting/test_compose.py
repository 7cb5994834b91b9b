from __future__ import annotations

import numpy as np
import pytest

from edgeflow.geometry import Box, Size
from edgeflow.matting.compose import covering, laid_on, object_box


def rgba() -> np.ndarray:
    made = np.zeros((10, 20, 4), np.uint8)
    made[3:6, 4:9] = (200, 100, 0, 255)
    made[3, 4, 3] = 51
    return made


def test_a_colour_shows_through_as_far_as_alpha_lets_it() -> None:
    laid = laid_on(rgba(), (0, 0, 255))
    assert laid[0, 0].tolist() == [0, 0, 255]
    assert laid[4, 5].tolist() == [200, 100, 0]
    assert laid[3, 4].tolist() == [40, 20, 204]


def test_a_picture_is_laid_below_and_stays() -> None:
    below = np.full((10, 20, 3), 7, np.uint8)
    laid = laid_on(rgba(), below)
    assert laid[4, 5].tolist() == [200, 100, 0]
    assert (below == 7).all()


@pytest.mark.parametrize("shape", [(5, 50), (50, 5), (1, 1), (100, 200)], ids=str)
def test_a_background_of_any_size_covers(shape: tuple[int, int]) -> None:
    assert covering(np.full((*shape, 3), 9, np.uint8), Size(10, 20)).shape == (10, 20, 3)
    assert (covering(np.full((*shape, 3), 9, np.uint8), Size(10, 20)) == 9).all()


def test_a_background_keeps_its_proportions_and_its_middle() -> None:
    wide = np.zeros((10, 30, 3), np.uint8)
    wide[:, 10:20] = 255
    assert (covering(wide, Size(10, 10)) == 255).all()


@pytest.mark.parametrize(
    ("margin", "box"), [(0, Box(3, 4, 6, 9)), (2, Box(1, 2, 8, 11)), (99, Box(0, 0, 10, 20))]
)
def test_the_box_has_a_margin_as_far_as_the_picture_goes(margin: int, box: Box) -> None:
    assert object_box(rgba(), margin) == box


def test_nothing_has_no_box() -> None:
    assert object_box(np.zeros((4, 4, 4), np.uint8)) is None
