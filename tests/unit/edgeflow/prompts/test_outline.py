from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from edgeflow.geometry import Box, ImagePoint, Size
from edgeflow.inference.zoom import ZoomPolicy
from edgeflow.prompts.click import Click, check_clicks
from edgeflow.prompts.outline import Outline
from tests.unit.edgeflow.prompts.shapes import LAYOUTS, MASKS, PROPERTY, boxed, disk
from tests.unit.edgeflow.samples import click, negative

WHOLE = Box(0, 0, 60, 80)


@st.composite
def boxes(draw: st.DrawFn, longest: int = 600) -> tuple[Size, Box]:
    """An image's size, and a box on it."""
    size = Size(draw(st.integers(1, longest)), draw(st.integers(1, longest)))
    top, left = draw(st.integers(0, size.height - 1)), draw(st.integers(0, size.width - 1))
    bottom = draw(st.integers(top + 1, size.height))
    return size, Box(top, left, bottom, draw(st.integers(left + 1, size.width)))


@st.composite
def lassos(draw: st.DrawFn) -> Outline:
    """A lasso with its bounding box, of whatever shape."""
    inside = draw(MASKS.filter(np.any))
    rows, cols = np.nonzero(inside)
    region = Box(int(rows.min()), int(cols.min()), int(rows.max()) + 1, int(cols.max()) + 1)
    return Outline(region, inside)


# The clicks that an outline implies


SQUARE = Size(100, 100)  # a box of 20 pixels puts its negative clicks 3 pixels off


@pytest.mark.parametrize(
    ("region", "negatives"),
    [
        (Box(40, 40, 60, 60), {(37, 37), (37, 62), (62, 37), (62, 62)}),
        (Box(3, 3, 23, 23), {(0, 0), (0, 25), (25, 0), (25, 25)}),
        (Box(77, 77, 97, 97), {(74, 74), (74, 99), (99, 74), (99, 99)}),
        (Box(2, 40, 22, 60), {(24, 37), (24, 62)}),
        (Box(78, 40, 98, 60), {(75, 37), (75, 62)}),
        (Box(40, 2, 60, 22), {(37, 24), (62, 24)}),
        (Box(40, 78, 60, 98), {(37, 75), (62, 75)}),
        (Box(0, 0, 20, 20), {(22, 22)}),
        (Box(0, 80, 20, 100), {(22, 77)}),
        (Box(80, 0, 100, 20), {(77, 22)}),
        (Box(80, 80, 100, 100), {(77, 77)}),
        (Box(0, 30, 100, 50), set()),
        (Box(30, 0, 50, 100), set()),
        (Box(0, 0, 100, 100), set()),
        (Box(1, 1, 99, 99), set()),
    ],
)
def test_negative_clicks_lie_off_the_corners_that_have_room(
    region: Box, negatives: set[tuple[int, int]]
) -> None:
    implied = Outline(region).implied_clicks(SQUARE)
    assert {(c.point.y, c.point.x) for c in implied if not c.positive} == negatives
    assert len(implied) == len(negatives) + 1


def test_negative_clicks_of_a_long_box_stay_within_the_networks_view() -> None:
    box = Box(400, 100, 500, 900)
    implied = Outline(box).implied_clicks(Size(1000, 1000))
    corners = {(c.point.x, c.point.y) for c in implied if not c.positive}
    assert corners == {(50, 392), (949, 392), (50, 507), (949, 507)}
    view = ZoomPolicy().around(box, Size(1000, 1000))
    assert all(view.contains(click.point) for click in implied)


@PROPERTY
@given(boxes())
def test_implied_clicks_are_on_the_image_and_negative_ones_outside_the_box(
    box: tuple[Size, Box],
) -> None:
    size, region = box
    first, *others = Outline(region).implied_clicks(size)
    check_clicks([first, *others], size)
    assert first.positive
    assert region.contains(first.point)
    assert first.point == ImagePoint(
        (region.left + region.right - 1) / 2, (region.top + region.bottom - 1) / 2
    )
    assert len(others) <= 4
    assert len(set(others)) == len(others)
    for other in others:
        assert not other.positive
        x, y = other.point
        assert x == int(x) <= size.width - 1
        assert y == int(y) <= size.height - 1
        assert not region.left <= x < region.right
        assert not region.top <= y < region.bottom


@PROPERTY
@given(boxes())
def test_a_mirrored_outline_implies_mirrored_clicks(box: tuple[Size, Box]) -> None:
    size, (top, left, bottom, right) = box
    mirrored = Box(top, size.width - right, bottom, size.width - left)
    there = Outline(Box(top, left, bottom, right)).implied_clicks(size)
    assert {
        Click(ImagePoint(size.width - 1 - c.point.x, c.point.y), c.positive) for c in there
    } == set(Outline(mirrored).implied_clicks(size))


def test_a_single_pixel_implies_a_click_on_it() -> None:
    size = Size(9, 9)
    assert Outline(Box(4, 4, 5, 5)).implied_clicks(size) == (
        click(4, 4),
        negative(2, 2),
        negative(6, 2),
        negative(2, 6),
        negative(6, 6),
    )
    assert Outline(Box(0, 0, 1, 1)).implied_clicks(Size(1, 1)) == (click(0, 0),)


def test_a_lasso_implies_a_click_on_its_inside_even_where_its_middle_is_outside() -> None:
    ring = disk(30, 40, 20) & ~disk(30, 40, 10)
    region = Box(10, 20, 51, 61)
    first, *others = Outline(region, ring).implied_clicks(Size(60, 80))
    assert first.positive
    assert ring[int(first.point.y), int(first.point.x)]
    assert not ring[30, 40]
    rectangle = Outline(region).implied_clicks(Size(60, 80))
    assert others == list(rectangle[1:])
    assert len(others) == 4


@PROPERTY
@given(lassos())
def test_a_lassos_clicks_agree_with_it(lasso: Outline) -> None:
    assert lasso.inside is not None
    size = Size(*lasso.inside.shape)
    first, *others = lasso.implied_clicks(size)
    check_clicks([first, *others], size)
    assert lasso.inside[int(first.point.y), int(first.point.x)]
    assert not any(lasso.inside[int(c.point.y), int(c.point.x)] for c in others)


# What an outline confines


def test_nothing_is_left_outside_a_rectangle() -> None:
    values = torch.rand(60, 80) + 0.1
    before = values.clone()
    region = Box(10, 20, 30, 70)
    confined = Outline(region).confine(values, WHOLE)
    inside = torch.from_numpy(boxed(region))
    assert torch.equal(confined[inside], values[inside])
    assert not confined[~inside].any()
    assert torch.equal(values, before)
    assert confined.dtype == values.dtype


@PROPERTY
@given(lassos())
def test_nothing_is_left_outside_a_lasso(lasso: Outline) -> None:
    assert lasso.inside is not None
    whole = Box.whole(Size(*lasso.inside.shape))
    values = torch.rand(lasso.inside.shape) + 0.1
    confined = lasso.confine(values, whole).numpy()
    assert np.array_equal(confined, np.where(lasso.inside, values.numpy(), np.float32(0)))
    assert np.array_equal(lasso.confine(torch.from_numpy(confined), whole).numpy(), confined)


@PROPERTY
@given(lassos(), st.data())
def test_a_part_of_the_image_is_confined_like_the_whole(
    lasso: Outline, data: st.DataObject
) -> None:
    assert lasso.inside is not None
    size = Size(*lasso.inside.shape)
    top, left = (data.draw(st.integers(0, side - 1)) for side in size)
    bottom = data.draw(st.integers(top + 1, size.height))
    part = Box(top, left, bottom, data.draw(st.integers(left + 1, size.width)))
    values = torch.rand(*size)
    for outline in (lasso, Outline(lasso.box)):
        expected = outline.confine(values, Box.whole(size))[part.slices]
        assert torch.equal(outline.confine(values[part.slices], part), expected)


def test_a_confined_map_is_a_copy() -> None:
    values = torch.rand(60, 80)
    before = values.clone()
    for outline in (
        Outline(Box(0, 0, 60, 80)),
        Outline(Box(0, 0, 60, 80), np.ones((60, 80), np.bool_)),
    ):
        confined = outline.confine(values, WHOLE)
        assert torch.equal(confined, values)
        confined.zero_()
        assert torch.equal(values, before)


def test_what_a_lasso_holds_beyond_its_box_is_outside() -> None:
    confined = Outline(Box(10, 10, 20, 20), np.ones((60, 80), np.bool_)).confine(
        torch.ones(60, 80), WHOLE
    )
    assert np.array_equal(confined.numpy() > 0, boxed(Box(10, 10, 20, 20)))


@pytest.fixture
def _every_warning() -> Iterator[None]:
    """PyTorch gives some warnings once in the life of a process."""
    before = torch.is_warn_always_enabled()
    torch.set_warn_always(True)
    yield
    torch.set_warn_always(before)


@pytest.mark.usefixtures("_every_warning")
@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_memory_layout_of_a_lasso_does_not_matter(layout: str) -> None:
    inside = disk(30, 30, 15)
    region = Box(15, 15, 46, 46)
    values = torch.rand(60, 80)
    expected, laid_out = Outline(region, inside), Outline(region, LAYOUTS[layout](inside))
    assert laid_out.digest == expected.digest
    assert laid_out.implied_clicks(Size(60, 80)) == expected.implied_clicks(Size(60, 80))
    assert torch.equal(laid_out.confine(values, WHOLE), expected.confine(values, WHOLE))
