"""Where pixels lie on a map."""

import math

import numpy as np
import pytest

from edgeflow.geometry import Box
from edgeflow.tiles.georeference import Georeference

NORTH_UP = (0.5, 0.0, 1000.0, 0.0, -0.5, 5000.0)
ROTATED = (0.4, 0.3, 1000.0, 0.3, -0.4, 5000.0)

transforms = pytest.mark.parametrize("transform", [NORTH_UP, ROTATED])


@transforms
def test_a_window_lies_where_the_picture_has_it(transform: tuple[float, ...]) -> None:
    whole = Georeference("EPSG:32632", transform)  # type: ignore[arg-type]
    window = whole.of(Box(20, 30, 40, 60))
    points = np.array([[0.0, 0.0], [7.5, 3.25]])
    np.testing.assert_allclose(window.to_map(points), whole.to_map(points + np.array([30, 20])))
    assert window.crs == whole.crs


@transforms
def test_points_come_back(transform: tuple[float, ...]) -> None:
    place = Georeference(None, transform)  # type: ignore[arg-type]
    points = np.random.default_rng(0).uniform(0, 50_000, (100, 2))
    np.testing.assert_allclose(place.to_pixels(place.to_map(points)), points, atol=1e-6)


def test_the_first_corner_is_the_transforms_origin() -> None:
    place = Georeference(None, NORTH_UP)
    assert place.to_map(np.array([[0.0, 0.0], [2.0, 4.0]])).tolist() == [[1000, 5000], [1001, 4998]]


def test_without_a_transform_points_stay_pixels() -> None:
    points = np.array([[3.0, 4.0]])
    place = Georeference().of(Box(1, 1, 2, 2))
    assert place.transform is None
    assert place.to_map(points).tolist() == place.to_pixels(points).tolist() == [[3, 4]]


@pytest.mark.parametrize(
    "transform", [(0, 0, 1, 0, 0, 1), (1, 1, 0, 1, 1, 0), (math.nan, 0, 0, 0, 1, 0)]
)
def test_a_transform_that_cannot_be_turned_back_is_none(transform: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="cannot be turned back"):
        Georeference(None, transform)  # type: ignore[arg-type]
