from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeflow.errors import PromptError
from edgeflow.geometry import Size
from edgeflow.label_studio.values import PERCENT_SLACK, PercentPoint

SIZE = Size(480, 640)

SIZES = st.builds(Size, st.integers(1, 20_000), st.integers(1, 20_000))

ON_THE_IMAGE = st.floats(-PERCENT_SLACK, 100 + PERCENT_SLACK)


@settings(deadline=None)
@given(ON_THE_IMAGE, ON_THE_IMAGE, SIZES)
def test_a_click_in_percent_always_falls_on_a_pixel_of_the_image(
    x: float, y: float, size: Size
) -> None:
    point = PercentPoint(x, y).to_image(size)
    assert 0 <= point.x <= size.width - 1
    assert 0 <= point.y <= size.height - 1


@settings(deadline=None)
@given(st.floats(0, 100), st.floats(0, 100), SIZES)
def test_conversion_to_pixels_goes_back_to_the_same_percent(x: float, y: float, size: Size) -> None:
    point = PercentPoint(x, y).to_image(size)
    assert (point.x + 0.5) / size.width * 100 == pytest.approx(x, abs=50 / size.width + 1e-9)
    assert (point.y + 0.5) / size.height * 100 == pytest.approx(y, abs=50 / size.height + 1e-9)


@pytest.mark.parametrize(
    ("percent", "pixel"),
    [
        ((50, 50), (319.5, 239.5)),
        ((0, 0), (0, 0)),
        ((100, 100), (639, 479)),
        ((-PERCENT_SLACK, 100 + PERCENT_SLACK), (0, 479)),
        ((100 / 640 / 2, 100 / 480 / 2), (0, 0)),
        ((10, 90), (63.5, 431.5)),
    ],
)
def test_zero_percent_is_the_left_or_top_border_of_the_image(
    percent: tuple[float, float], pixel: tuple[float, float]
) -> None:
    assert PercentPoint(*percent).to_image(SIZE) == pytest.approx(pixel)


@settings(deadline=None)
@given(
    st.floats(max_value=-PERCENT_SLACK, exclude_max=True)
    | st.floats(min_value=100 + PERCENT_SLACK, exclude_min=True)
    | st.just(math.nan)
)
def test_a_click_beyond_the_border_is_refused(value: float) -> None:
    for point in (PercentPoint(value, 50), PercentPoint(50, value)):
        with pytest.raises(PromptError, match="outside the image"):
            point.to_image(SIZE)
