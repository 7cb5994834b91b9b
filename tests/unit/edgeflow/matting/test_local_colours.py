from __future__ import annotations

import numpy as np

from edgeflow.matting.local_colours import fit


def test_a_map_that_is_linear_in_the_colours_is_found_again() -> None:
    picture = np.random.default_rng(1).random((20, 30, 3)).astype(np.float32)
    values = (picture @ np.array((0.5, -0.2, 0.3), np.float32) + 0.1).astype(np.float32)
    model = fit(picture, values, 4, 1e-6)
    assert np.abs(model.at(picture) - values).max() < 1e-3
    assert np.abs(model.slopes - (0.5, -0.2, 0.3)).max() < 1e-2


def test_a_flat_picture_smooths_the_map() -> None:
    values = np.zeros((21, 21), np.float32)
    values[10, 10] = 1
    smooth = fit(np.full((21, 21, 3), 0.4, np.float32), values, 2, 1e-4).at(
        np.full((21, 21, 3), 0.4, np.float32)
    )
    assert smooth.max() < 0.1
    assert abs(smooth.sum() - 1) < 1e-3


def test_edges_of_the_picture_are_edges_of_the_map() -> None:
    picture = np.zeros((20, 20, 3), np.float32)
    picture[:, 10:] = 1
    mask = np.zeros((20, 20), np.float32)
    mask[:, 12:] = 1  # two pixels off
    found = fit(picture, mask, 5, 1e-4).at(picture)
    assert found[10, 9] < 0.1
    assert found[10, 11] > 0.5
