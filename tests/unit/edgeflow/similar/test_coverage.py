"""Masks on cells."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from edgeflow.geometry import Size
from edgeflow.masks.patch import MaskPatch
from edgeflow.similar.coverage import object_and_ring
from edgeflow.similar.features import ImageFeatures
from tests.unit.edgeflow.similar.scenes import GROUND, RED, patch, scene


def test_an_object_on_whole_cells_has_their_feature_and_its_ring_the_grounds() -> None:
    features = scene([(40, 80)])
    inside, ring = object_and_ring(features, patch(40, 80))
    assert inside.weights.sum() == 9
    np.testing.assert_allclose(inside.mean(features), RED)
    np.testing.assert_allclose(ring.mean(features), GROUND)


def test_a_cell_counts_as_far_as_it_is_covered() -> None:
    features = scene([(40, 80)])
    inside, _ = object_and_ring(features, patch(36, 80))
    np.testing.assert_allclose(inside.mean(features), RED * 20 / 24 + GROUND * 4 / 24, atol=1e-6)


@pytest.mark.parametrize("cells", [(7, 9), (20, 31)])
def test_coverage_is_what_shrinking_the_whole_mask_by_area_gives(cells: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    mask = np.zeros((61, 83), dtype=np.bool_)
    mask[5:33, 11:70] = rng.random((28, 59)) < 0.6
    features = ImageFeatures(np.ones((*cells, 3), dtype=np.float32), Size(61, 83))
    inside, _ = object_and_ring(features, MaskPatch.of(mask))
    whole = np.zeros(cells, dtype=np.float32)
    whole[inside.cells.slices] = inside.weights
    pixels = np.kron(mask, np.ones((cells[0], cells[1])))  # a common multiple of both grids
    expected = cv2.resize(pixels.astype(np.float32), cells[::-1], interpolation=cv2.INTER_AREA)
    np.testing.assert_allclose(whole / whole.sum(), expected / expected.sum(), atol=1e-5)
    pixels_per_cell = mask.size / whole.size
    assert whole.sum() * pixels_per_cell == pytest.approx(mask.sum(), rel=1e-4)


def test_an_object_of_the_whole_image_has_no_ring() -> None:
    features = scene([])
    whole = MaskPatch.of(np.ones(tuple(features.image_size), dtype=np.bool_))
    inside, ring = object_and_ring(features, whole)
    np.testing.assert_allclose(inside.mean(features), GROUND)
    assert not ring.weights.any()
    assert not ring.mean(features).any()


def test_the_ring_ends_at_the_images_border() -> None:
    features = scene([(0, 0)])
    _, ring = object_and_ring(features, patch(0, 0))
    assert (ring.cells.top, ring.cells.left) == (0, 0)
    np.testing.assert_allclose(ring.mean(features), GROUND)
