from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import binary_erosion

from edgeflow.evaluate.boundary import BoundaryIoU, rim
from tests.unit.edgeflow.evaluate.scripted import square


@pytest.mark.parametrize("width", [1, 2, 5])
def test_the_rim_is_what_repeated_erosion_takes_away(width: int) -> None:
    rng = np.random.default_rng(width)
    mask = rng.random((40, 50)) < 0.95
    eroded = binary_erosion(mask, np.ones((3, 3)), iterations=width, border_value=0)
    assert (rim(mask, width) == (mask & ~eroded)).all()


def test_the_rim_of_a_square() -> None:
    mask = square(10, 10, slice(1, 9), slice(1, 9))
    inside = square(10, 10, slice(3, 7), slice(3, 7))
    assert (rim(mask, 2) == (mask & ~inside)).all()


def test_equal_masks_agree_and_an_error_inside_does_not_count() -> None:
    truth = square(100, 100, slice(10, 90), slice(10, 90))
    compare = BoundaryIoU(truth, np.ones_like(truth))
    assert compare(truth) == 1.0
    assert compare(np.zeros_like(truth)) == 0.0


def test_a_shifted_rim_costs_more_than_the_mask_does() -> None:
    truth = square(100, 100, slice(10, 90), slice(10, 90))
    shifted = square(100, 100, slice(12, 92), slice(10, 90))
    mask_iou = (truth & shifted).sum() / (truth | shifted).sum()
    rims = BoundaryIoU(truth, np.ones_like(truth))(shifted)
    width = 3  # 2 % of a diagonal of 141 pixels
    inner = (slice(10 + width, 90 - width), slice(10 + width, 90 - width))
    band, moved = truth.copy(), shifted.copy()
    band[inner] = False
    moved[inner[0].start + 2 : inner[0].stop + 2, inner[1]] = False
    assert rims == pytest.approx((band & moved).sum() / (band | moved).sum())
    assert rims < mask_iou


def test_pixels_to_ignore_are_left_out() -> None:
    truth = square(50, 50, slice(0, 50), slice(0, 25))
    wrong = square(50, 50, slice(0, 50), slice(0, 30))
    valid = ~square(50, 50, slice(0, 50), slice(20, 35))
    assert BoundaryIoU(truth, valid)(wrong) == 1.0
