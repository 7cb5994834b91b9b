from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given

from edgeflow.arrays import BoolMask
from edgeflow.geometry import Box
from edgeflow.prompts.implied import deepest_point
from tests.unit.edgeflow.prompts.shapes import LAYOUTS, MASKS, PROPERTY, boxed, disk

# The deepest point


@pytest.mark.parametrize(
    ("mask", "deepest"),
    [
        (boxed(Box(7, 9, 8, 10)), {(9, 7)}),
        (boxed(Box(0, 0, 1, 1)), {(0, 0)}),
        (boxed(Box(59, 79, 60, 80)), {(79, 59)}),
        (boxed(Box(10, 20, 31, 41)), {(30, 20)}),
        (boxed(Box(10, 20, 30, 40)), {(x, y) for x in (29, 30) for y in (19, 20)}),
        (boxed(Box(10, 20, 15, 60)), {(x, 12) for x in range(22, 58)}),
        (boxed(Box(10, 20, 50, 21)), {(20, y) for y in range(10, 50)}),
        (disk(30, 40, 12), {(40, 30)}),
        (np.ones((1, 1), np.bool_), {(0, 0)}),
        (np.ones((41, 41), np.bool_), {(20, 20)}),  # the image's border is an outside, too
        (np.ones((1, 80), np.bool_), {(x, 0) for x in range(80)}),
        (disk(20, 20, 8) | disk(40, 60, 11), {(60, 40)}),
        (
            boxed(Box(10, 10, 50, 14)) | boxed(Box(41, 10, 50, 70)),
            {(x, 45) for x in range(80)},
        ),
        (disk(0, 0, 30), {(x, y) for x in range(9, 16) for y in range(9, 16)}),
    ],
)
def test_the_deepest_point_of_known_shapes(mask: BoolMask, deepest: set[tuple[int, int]]) -> None:
    assert deepest_point(mask) in deepest
    if len(mask) == 60:
        assert deepest_point(np.ascontiguousarray(mask[::-1])) in {(x, 59 - y) for x, y in deepest}


def depths(mask: BoolMask) -> npt.NDArray[np.float64]:
    """Each pixel's exact distance to the nearest one outside, by trying them all."""
    padded = np.pad(mask, 1)
    outside = np.argwhere(~padded)
    away = np.argwhere(padded)[:, None] - outside[None]
    found = np.zeros(padded.shape)
    found[padded] = np.sqrt((away**2).sum(axis=2).min(axis=1))
    return found[1:-1, 1:-1]


@PROPERTY
@given(MASKS.filter(np.any))
def test_the_deepest_point_is_inside_and_about_as_deep_as_can_be(mask: BoolMask) -> None:
    x, y = deepest_point(mask)
    assert x == int(x)
    assert y == int(y)
    exact = depths(mask)
    assert mask[int(y), int(x)]
    assert exact[int(y), int(x)] >= 0.95 * exact.max()  # the distances are approximate


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_memory_layout_does_not_change_the_deepest_point(layout: str) -> None:
    mask = disk(20, 50, 12)
    assert deepest_point(LAYOUTS[layout](mask)) == (50, 20)
