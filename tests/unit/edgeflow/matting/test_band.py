from __future__ import annotations

import cv2
import numpy as np
import pytest

from edgeflow.arrays import BoolMask
from edgeflow.matting.band import SMALLEST, band_around, band_radius


def disk(radius: int, side: int = 200) -> BoolMask:
    rows, columns = np.mgrid[:side, :side] - side // 2
    inside: BoolMask = np.hypot(rows, columns) <= radius
    return inside


@pytest.mark.parametrize(("radius", "expected"), [(90, 4), (5, SMALLEST)])
def test_the_radius_grows_with_the_object(radius: int, expected: int) -> None:
    assert band_radius(disk(radius)) == expected


def test_an_empty_mask_has_the_smallest_radius_and_no_band() -> None:
    empty = np.zeros((9, 9), np.bool_)
    assert band_radius(empty) == SMALLEST
    assert not band_around(empty, SMALLEST).any()
    assert not band_around(~empty, SMALLEST).any()


def test_the_band_lies_on_both_sides_of_the_border() -> None:
    rows, columns = np.mgrid[:200, :200] - 100
    away = np.abs(np.hypot(rows, columns) - 60.5)
    band = band_around(disk(60), 5)
    assert band[away < 4].all()
    assert not band[away > 6].any()


def test_the_pictures_border_is_none() -> None:
    mask = np.zeros((50, 50), np.bool_)
    mask[:, :25] = True
    band = band_around(mask, 4)
    assert not band[:, :20].any()
    assert band[:, 22:28].all()


def test_thin_parts_have_a_core_and_hairs_have_none() -> None:
    mask = np.zeros((60, 60), np.bool_)
    mask[:, 10:17] = True
    mask[:, 40:42] = True
    band = band_around(mask, 6)
    assert not band[5:55, 13].any()
    assert band[5:55, 10].all()
    assert band[:, 38:44].all()


def test_where_the_network_is_unsure_the_band_is_wider_but_not_far_away() -> None:
    mask = disk(60)
    probability = np.where(mask, 1, 0).astype(np.float32)
    probability[100, :] = 0.4
    grown = band_around(mask, 5, probability) & ~band_around(mask, 5)
    assert grown[100, 160 + 10]
    assert not grown[100, 160 + 20]
    assert not cv2.countNonZero(grown[:99].view(np.uint8))
