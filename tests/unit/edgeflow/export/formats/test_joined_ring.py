"""One line around a mask, filled as ``cv2.fillPoly`` does it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from edgeflow.arrays import BoolMask, Polygon
from edgeflow.errors import PolygonError
from edgeflow.export.formats.joined_ring import MAX_PARTS, joined_ring
from tests.unit.edgeflow.export.formats.drawings import masks

small_masks = st.tuples(st.integers(1, 14), st.integers(1, 14)).flatmap(
    lambda shape: arrays(np.bool_, shape)
)


def fill(ring: Polygon, mask: BoolMask) -> BoolMask:
    filled = np.zeros(mask.shape, dtype=np.uint8)
    cv2.fillPoly(filled, [np.rint(ring).astype(np.int32)], [1])
    return filled.astype(np.bool_)


def parts_of(mask: BoolMask) -> int:
    return cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)[0] - 1


@pytest.mark.parametrize("name", [name for name, mask in masks().items() if parts_of(mask) == 1])
def test_masks_of_one_part_are_exact(name: str) -> None:
    mask = masks()[name]
    assert (fill(joined_ring(mask), mask) == mask).all()


@settings(max_examples=300)
@given(mask=small_masks)
def test_any_mask_is_covered_and_one_of_one_part_is_exact(mask: BoolMask) -> None:
    if not mask.any():
        return
    ring = joined_ring(mask)
    filled = fill(ring, mask)
    assert len(ring) >= 3
    assert (filled >= mask).all()
    assert parts_of(filled) == 1
    if parts_of(mask) == 1:
        assert (filled == mask).all()


def test_holes_in_parts_in_holes_are_exact_but_for_the_ways_between_parts() -> None:
    mask = np.zeros((60, 60), dtype=np.bool_)
    for inset, value in ((2, True), (8, False), (14, True), (20, False), (26, True)):
        mask[inset:-inset, inset:-inset] = value
    extra = fill(joined_ring(mask), mask) & ~mask
    # Two ways through two bands of background six pixels wide.
    assert extra.sum() == 12


def test_parts_are_joined_along_the_shortest_ways() -> None:
    mask = np.zeros((20, 50), dtype=np.bool_)
    mask[5:15, 2:10] = mask[5:15, 13:20] = mask[5:15, 30:40] = True
    extra = fill(joined_ring(mask), mask) & ~mask
    assert extra.sum() == (13 - 10) + (30 - 20)


def test_noise_is_exact() -> None:
    mask = np.random.default_rng(0).random((200, 200)) < 0.8
    mask = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)[1] == 1
    assert (fill(joined_ring(mask), mask) == mask).all()


def test_the_box_around_the_line_is_that_of_a_box_line_or_dot() -> None:
    for box in ((3, 4, 12, 20), (3, 4, 4, 20), (3, 4, 12, 5), (3, 4, 4, 5)):
        mask = np.zeros((20, 30), dtype=np.bool_)
        mask[box[0] : box[2], box[1] : box[3]] = True
        ring = joined_ring(mask)
        low, high = ring.min(axis=0) + 0.5, ring.max(axis=0) + 0.5
        assert np.allclose([*low, *high], [box[1], box[0], box[3], box[2]], atol=0.0501)


def test_points_lie_on_the_mask() -> None:
    for mask in masks().values():
        cols, rows = np.rint(joined_ring(mask)).astype(int).T
        assert mask[rows, cols].all()


def test_a_mask_of_mere_noise_is_refused() -> None:
    noise = np.random.default_rng(0).random((1000, 1000)) < 0.5
    with pytest.raises(PolygonError, match="pixel edges"):
        joined_ring(noise)


def test_a_mask_of_too_many_parts_is_refused() -> None:
    dust = np.zeros((100, 100), dtype=np.bool_)
    dust[::3, ::3] = True
    assert dust.sum() > MAX_PARTS
    with pytest.raises(PolygonError, match="1156 parts"):
        joined_ring(dust)
