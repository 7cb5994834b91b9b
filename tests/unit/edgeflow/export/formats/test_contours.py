from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from edgeflow.arrays import BoolMask
from edgeflow.export.formats.contours import contour_rings
from edgeflow.masks.patch import MaskPatch
from tests.unit.edgeflow.export.formats.scene import masks


def painted(mask: BoolMask) -> BoolMask:
    """What EISeg shows of the rings, which it draws one by one."""
    canvas = np.zeros(mask.shape, dtype=np.uint8)
    for ring in contour_rings(MaskPatch.of(mask)):
        assert len(ring) >= 3
        cv2.fillPoly(canvas, [ring.astype(np.int32)], 1)
    return canvas.astype(np.bool_)


@pytest.mark.parametrize("name", masks())
def test_opencv_paints_the_very_same_mask(name: str) -> None:
    mask = masks()[name]
    assert (painted(mask) == mask).all()


@given(
    mask=st.tuples(st.integers(1, 14), st.integers(1, 14)).flatmap(
        lambda shape: arrays(np.bool_, shape)
    )
)
def test_opencv_paints_any_mask(mask: BoolMask) -> None:
    if mask.any():
        assert (painted(mask) == mask).all()


def test_holes_that_are_joined_to_each_other_and_parts_in_holes_are_painted() -> None:
    grid = np.ones((80, 80), dtype=np.bool_)
    grid[1:-1:2, 1:-1:2] = False  # 1521 holes of a pixel, walls of a pixel between
    nested = np.zeros((80, 80), dtype=np.bool_)
    for inset, value in enumerate([True, True, False, False] * 9):
        nested[inset : 80 - inset, inset : 80 - inset] = value
    for mask in (grid, nested):
        assert (painted(mask) == mask).all()
    assert len(contour_rings(MaskPatch.of(grid))) == 1
    assert len(contour_rings(MaskPatch.of(nested))) == 9


def test_points_are_those_of_the_image_and_corners_alone() -> None:
    mask = np.zeros((40, 60), dtype=np.bool_)
    mask[5:9, 10:30] = True
    (ring,) = contour_rings(MaskPatch.of(mask))
    assert sorted(ring.tolist()) == [[10, 5], [10, 8], [29, 5], [29, 8]]


def test_dots_and_lines_have_three_points() -> None:
    for name, corners in (("dot", [[0, 39]]), ("line", [[3, 33], [44, 33]])):
        (ring,) = contour_rings(MaskPatch.of(masks()[name]))
        assert len(ring) == 3
        assert np.unique(ring, axis=0).tolist() == corners
