from __future__ import annotations

import cv2
import numpy as np
import pytest

from edgeflow.evaluate.starts.superpixels import superpixels

RGB = np.random.default_rng(1).integers(0, 256, (60, 90, 3), dtype=np.uint8)


def test_every_pixel_belongs_to_one_of_about_as_many_parts_as_asked_for() -> None:
    parts = superpixels(RGB, 50)
    assert parts.shape == (60, 90)
    assert parts.min() == 1
    assert 40 <= np.unique(parts).size <= 60


def test_parts_are_in_one_piece() -> None:
    parts = superpixels(RGB, 20)
    for number in np.unique(parts):
        mask = (parts == number).astype(np.uint8)
        assert cv2.connectedComponents(mask)[0] == 2


def test_parts_meet_at_an_edge_of_the_image() -> None:
    rgb = np.full((40, 60, 3), 40, dtype=np.uint8)
    rgb[:, 23:] = 220
    parts = superpixels(rgb, 6)
    left, right = np.unique(parts[:, :21]), np.unique(parts[:, 26:])
    assert not set(left.tolist()) & set(right.tolist())


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (2, 2), (3, 5)])
def test_the_smallest_images_are_divided_too(shape: tuple[int, int]) -> None:
    assert superpixels(np.zeros((*shape, 3), dtype=np.uint8), 700).min() >= 1
