"""Outlines along pixel borders."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import MultiPolygon, box

from edgeflow.agreement.packed import PackedMask
from edgeflow.masks.patch import MaskPatch
from edgeflow.tiles.stitching import objects
from edgeflow.tiles.stitching.objects import StitchedObject
from edgeflow.tiles.stitching.outlines import as_polygons, outline, simplified
from edgeflow.tiles.stitching.pieces import Piece

masks = st.integers(1, 2**63).map(
    lambda seed: np.random.default_rng(seed).random((12, 17)) < (seed % 9 + 1) / 10
)


def of(mask: npt.NDArray[np.bool_]) -> StitchedObject:
    return StitchedObject(1, "x", (Piece("x", PackedMask.of(MaskPatch.of(mask)), 0),))


def test_holes_are_kept() -> None:
    mask = np.zeros((10, 10), dtype=np.bool_)
    mask[2:8, 1:9] = True
    mask[4:6, 4:6] = False
    assert outline(of(mask)).equals(box(1, 2, 9, 8).difference(box(4, 4, 6, 6)))


def test_an_outline_has_a_point_at_corners_alone() -> None:
    mask = np.zeros((10, 10), dtype=np.bool_)
    mask[2:8, 1:9] = True
    assert shapely.get_num_coordinates(outline(of(mask))) == 5


@given(masks)
def test_any_mask_has_a_valid_outline_around_just_its_pixels(mask: npt.NDArray[np.bool_]) -> None:
    mask[5, 5] = True
    found = outline(of(mask))
    assert found.is_valid
    assert found.area == np.count_nonzero(mask)
    rows, cols = np.nonzero(mask)
    assert shapely.contains_xy(found, cols + 0.5, rows + 0.5).all()
    assert all(part.exterior.is_ccw for part in found.geoms)


def test_an_outline_is_the_same_if_the_mask_is_looked_at_in_strips(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(3)
    mask = np.kron(rng.random((9, 9)) < 0.6, np.ones((4, 4))).astype(np.bool_)
    whole = outline(of(mask))
    monkeypatch.setattr(objects, "AT_ONCE", 5 * 36)
    assert len(list(of(mask).strips())) > 5
    parts = outline(of(mask))
    assert parts.equals(whole)
    assert of(mask).pixels == np.count_nonzero(mask)
    assert shapely.get_num_coordinates(parts) <= shapely.get_num_coordinates(whole) + len(
        parts.geoms
    )


@given(masks, st.floats(0.1, 30))
def test_fewer_points_are_valid_too_and_lose_no_object(
    mask: npt.NDArray[np.bool_], tolerance: float
) -> None:
    mask[5, 5] = True
    found = simplified(outline(of(mask)), tolerance)
    assert found.is_valid
    assert found.area > 0


def test_what_is_not_valid_becomes_polygons_alone() -> None:
    """A bow tie, a line and a point."""
    tie = shapely.from_wkt(
        "GEOMETRYCOLLECTION (POLYGON ((0 0, 2 2, 2 0, 0 2, 0 0)), LINESTRING (0 0, 5 5), "
        "POINT (9 9))"
    )
    found = as_polygons(tie)
    assert isinstance(found, MultiPolygon)
    assert found.is_valid
    assert found.area == 2
