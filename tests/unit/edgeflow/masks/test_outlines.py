from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image, ImageDraw

from edgeflow.arrays import BoolMask, Polygon
from edgeflow.errors import PolygonError
from edgeflow.geometry import Size
from edgeflow.masks.outlines import fill_as_opencv, fill_as_pillow, fill_circle

SIZE = Size(40, 60)
FILLS = [fill_as_opencv, fill_as_pillow]
Fill = Callable[[Polygon, Size], BoolMask]

outlines = arrays.arrays(
    np.float64, st.tuples(st.integers(3, 30), st.just(2)), elements=st.floats(-30, 90)
)


@given(outlines)
def test_opencv_fills_the_same(outline: Polygon) -> None:
    expected = np.zeros(SIZE, dtype=np.uint8)
    cv2.fillPoly(expected, [outline.astype(np.int32)], color=1)
    assert np.array_equal(fill_as_opencv(outline, SIZE), expected > 0)


@given(outlines)
def test_pillow_fills_the_same(outline: Polygon) -> None:
    expected = Image.new("L", (60, 40))
    points = [(x, y) for x, y in outline.tolist()]
    ImageDraw.Draw(expected).polygon(points, outline=1, fill=1)
    assert np.array_equal(fill_as_pillow(outline, SIZE), np.asarray(expected) > 0)


@pytest.mark.parametrize("fill", FILLS)
def test_the_pixels_of_the_outline_belong_to_it(fill: Fill) -> None:
    square = np.array([[2, 3], [5, 3], [5.9, 8], [2, 8.9]])
    expected = np.zeros(SIZE, dtype=np.bool_)
    expected[3:9, 2:6] = True
    assert np.array_equal(fill(square, SIZE), expected)
    assert fill(np.array([[4.0, 4.0]] * 3), SIZE).sum() == 1


@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize("count", [0, 1, 2])
def test_fewer_than_three_points_enclose_nothing(fill: Fill, count: int) -> None:
    assert not fill(np.ones((count, 2)), SIZE).any()


def test_a_circle_reaches_as_far_as_its_radius() -> None:
    rows, cols = np.nonzero(fill_circle(np.array([30.0, 20.0]), 10.0, SIZE))
    assert (rows.min(), rows.max(), cols.min(), cols.max()) == (10, 30, 20, 40)


def hostile() -> dict[str, Polygon]:
    place = np.arange(200_000)
    return {
        "nan": np.array([[0, 0], [np.nan, 1], [2, 2]]),
        "far": np.array([[0, 0], [2e6, 1], [2, 2]]),
        "long": np.stack((place % 2 * 50.0, place % 40), axis=1) * 2,
        # All edges cross one row: OpenCV alone would take half a minute.
        "one row": np.stack((place % 2 * 1.0, place // 2 % 2 + 20.0), axis=1),
    }


@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize("kind", hostile())
def test_hostile_outlines_are_refused(fill: Fill, kind: str) -> None:
    with pytest.raises(PolygonError, match="outline"):
        fill(hostile()[kind], SIZE)


def test_a_hostile_circle_is_refused() -> None:
    with pytest.raises(PolygonError, match="far off"):
        fill_circle(np.array([0.0, 0.0]), 1e7, SIZE)
