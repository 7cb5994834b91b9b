from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeflow.errors import PromptError
from edgeflow.geometry import ImagePoint, Size
from edgeflow.prompts.click import Click, check_clicks, prefix_digests
from tests.unit.edgeflow.samples import click, negative

SIZE = Size(height=40, width=60)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
CLICKS = st.builds(Click, st.builds(ImagePoint, FINITE, FINITE), st.booleans())


@given(st.lists(CLICKS, max_size=5), st.text(max_size=20))
def test_a_prefix_has_the_digest_that_it_has_alone(clicks: list[Click], seed: str) -> None:
    digests = prefix_digests(seed, clicks)
    assert len(digests) == len(clicks) + 1
    for count in range(len(clicks) + 1):
        assert digests[count] == prefix_digests(seed, clicks[:count])[-1]
        assert len(digests[count]) == 32


@given(st.lists(CLICKS, max_size=4), st.lists(CLICKS, max_size=4))
def test_other_clicks_have_another_digest(one: list[Click], other: list[Click]) -> None:
    same = [(*c.point, c.positive) for c in one] == [(*c.point, c.positive) for c in other]
    if same and any(0.0 in c.point for c in one):
        return  # 0.0 and -0.0 are equal and may be told apart: that costs work, not correctness
    assert (prefix_digests("seed", one)[-1] == prefix_digests("seed", other)[-1]) is same


def last(*clicks: Click, seed: str = "seed") -> bytes:
    return prefix_digests(seed, clicks)[-1]


def test_the_digest_depends_on_the_order() -> None:
    assert last(click(1, 2), click(3, 4)) != last(click(3, 4), click(1, 2))


def test_the_digest_depends_on_the_sign() -> None:
    assert last(click(1, 2)) != last(negative(1, 2))


def test_the_digest_tells_x_from_y() -> None:
    assert last(click(1, 2)) != last(click(2, 1))


def test_the_digest_sees_the_smallest_move() -> None:
    assert last(click(10, 2)) != last(click(math.nextafter(10, 11), 2))


def test_the_digest_depends_on_the_seed() -> None:
    assert last(click(1, 2)) != last(click(1, 2), seed="other")
    assert prefix_digests("a", [])[0] != prefix_digests("b", [])[0]


def test_the_digest_does_not_depend_on_the_number_type() -> None:
    assert last(click(1, 2)) == last(click(1.0, 2.0))


def test_the_same_click_twice_is_not_the_same_as_once() -> None:
    assert last(click(1, 2), click(1, 2)) != last(click(1, 2))


@pytest.mark.parametrize(
    ("x", "y"), [(0, 0), (59, 39), (-0.5, -0.5), (59.5, 39.5), (59.5, 0), (0, 39.5), (30.25, 7.75)]
)
def test_clicks_on_the_image_are_accepted(x: float, y: float) -> None:
    check_clicks([click(x, y)], SIZE)


@pytest.mark.parametrize(
    ("x", "y"), [(-0.51, 5), (59.51, 5), (5, -0.51), (5, 39.51), (39, 59), (1e30, 5), (-1, -1)]
)
def test_a_click_outside_is_refused_by_number_place_and_image_size(x: float, y: float) -> None:
    with pytest.raises(PromptError) as caught:
        check_clicks([click(1, 1), negative(2, 2), click(x, y)], SIZE)
    assert "click 3" in caught.value.message
    assert f"x={x:g}, y={y:g}" in caught.value.message
    assert "60×40" in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("axis", ["x", "y"])
def test_a_click_without_finite_coordinates_is_refused_by_number(bad: float, axis: str) -> None:
    point = ImagePoint(1, 1)._replace(**{axis: bad})
    with pytest.raises(PromptError, match="click 2 has no finite coordinates") as caught:
        check_clicks([click(1, 1), Click(point)], SIZE)
    assert caught.value.hint


def test_the_first_bad_click_is_the_one_named() -> None:
    with pytest.raises(PromptError, match="click 1 "):
        check_clicks([click(-5, 1), click(-6, 1)], SIZE)


def test_no_clicks_are_no_bad_clicks() -> None:
    check_clicks([], SIZE)
