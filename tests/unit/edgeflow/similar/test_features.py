"""An image's features."""

from __future__ import annotations

import numpy as np
import pytest

from edgeflow.geometry import Size
from edgeflow.inference.predictor import Predictor
from edgeflow.similar.features import CELLS, SIDES, STRIDE, encode, side_for
from tests.unit.edgeflow.similar.painted import EXAMPLE_IMAGE, colour_finder


@pytest.mark.parametrize("image", [Size(303, 384), Size(3000, 4000), Size(20, 2000)], ids=str)
def test_an_example_gets_enough_cells_as_far_as_sides_go(image: Size) -> None:
    longer = max(image)
    for diameter in (3, 10, 44, 150, 5000):
        side = side_for(diameter, image)
        assert side in SIDES
        cells = diameter * side / longer / STRIDE
        assert cells >= CELLS or side == SIDES[-1]
        smaller = [other for other in SIDES if other < side]
        assert not smaller or diameter * smaller[-1] / longer / STRIDE < CELLS


def test_cells_cover_the_image_in_its_proportions_and_have_unit_length() -> None:
    finder, _, encoder = colour_finder()
    image = finder.predictor.encode(EXAMPLE_IMAGE)
    features = encode(encoder, image, 640, finder.predictor.policy.sampling)  # type: ignore[arg-type]
    assert features.size == Size(60, 80)
    assert features.image_size == image.size
    assert features.scale == (60 / 240, 80 / 320)
    np.testing.assert_allclose(np.linalg.norm(features.values, axis=-1), 1, atol=1e-5)


def test_the_shipped_networks_features_have_both_strides(predictor: Predictor) -> None:
    image = predictor.encode(EXAMPLE_IMAGE)
    assert predictor.encoder is not None
    features = encode(predictor.encoder, image, 448, predictor.policy.sampling)
    assert features.values.shape == (40, 56, 48 + 120)
    assert features.values.dtype == np.float32
    halves = (features.values[..., :48], features.values[..., 48:])
    for half in halves:
        np.testing.assert_allclose(np.linalg.norm(half, axis=-1) ** 2, 0.5, atol=0.1)
