from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from edgeflow.overlay import NEGATIVE, POSITIVE, TINT, draw_overlay
from edgeflow.prompts.click import Click
from tests.unit.edgeflow.samples import click, disk_image, negative

IMAGE = disk_image(120, 160)


def block(top: int, left: int, bottom: int, right: int) -> npt.NDArray[np.bool_]:
    mask = np.zeros(IMAGE.shape[:2], np.bool_)
    mask[top:bottom, left:right] = True
    return mask


NOTHING = block(0, 0, 0, 0)


def test_the_image_is_left_untouched() -> None:
    before = IMAGE.copy()
    out = draw_overlay(IMAGE, block(10, 10, 60, 60), [click(30, 30)])
    assert not np.shares_memory(out, IMAGE)
    np.testing.assert_array_equal(IMAGE, before)


def test_a_read_only_image_is_drawn_on_in_a_copy() -> None:
    frozen = IMAGE.copy()
    frozen.flags.writeable = False
    assert draw_overlay(frozen, block(10, 10, 60, 60), [click(30, 30)]).shape == IMAGE.shape


def test_an_empty_mask_without_clicks_changes_nothing() -> None:
    out = draw_overlay(IMAGE, NOTHING)
    assert out.dtype == np.uint8
    np.testing.assert_array_equal(out, IMAGE)


def test_only_the_mask_and_its_outline_are_coloured() -> None:
    out = draw_overlay(IMAGE, block(20, 30, 80, 90))
    changed = (out != IMAGE).any(axis=2)
    assert not changed[~block(19, 29, 81, 91)].any()
    assert changed[block(20, 30, 80, 90)].mean() > 0.99


def test_the_inside_is_mixed_with_the_tint() -> None:
    out = draw_overlay(IMAGE, block(20, 30, 80, 90), opacity=0.5)
    expected = (IMAGE[50, 60].astype(float) + np.array(TINT)) / 2
    np.testing.assert_allclose(out[50, 60], expected, atol=1)


@pytest.mark.parametrize(("opacity", "colour"), [(0.0, tuple(IMAGE[50, 60])), (1.0, TINT)])
def test_the_opacity_runs_from_the_image_to_the_tint(
    opacity: float, colour: tuple[int, ...]
) -> None:
    assert tuple(draw_overlay(IMAGE, block(20, 30, 80, 90), opacity=opacity)[50, 60]) == colour


def test_the_outline_has_the_tints_full_colour_around_holes_too() -> None:
    mask = block(20, 30, 80, 90) & ~block(40, 50, 60, 70)
    out = draw_overlay(IMAGE, mask)
    for row, col in ((20, 60), (79, 60), (50, 30), (50, 89), (39, 60), (60, 60)):
        assert tuple(out[row, col]) == TINT
    np.testing.assert_array_equal(out[50, 60], IMAGE[50, 60])


def test_clicks_are_green_or_red_dots() -> None:
    out = draw_overlay(IMAGE, NOTHING, [click(40, 30), negative(100, 80)])
    assert tuple(out[30, 40]) == POSITIVE
    assert tuple(out[80, 100]) == NEGATIVE


def test_clicks_are_numbered() -> None:
    def label(clicks: list[Click]) -> npt.NDArray[np.uint8]:
        return draw_overlay(IMAGE, NOTHING, clicks)[60:85, 86:110]

    # The second click of each pair lies at the same place; only its number is another.
    one, two = label([click(80, 80)]), label([click(10, 10), click(80, 80)])
    assert not np.array_equal(one, two)
    assert not np.array_equal(one, IMAGE[60:85, 86:110])


def test_dots_grow_with_the_image() -> None:
    def dot(side: int) -> int:
        blank = np.zeros((side, side, 3), np.uint8)
        out = draw_overlay(blank, np.zeros((side, side), np.bool_), [click(side / 2, side / 2)])
        return int((out == POSITIVE).all(axis=2).sum())

    assert dot(2000) > 10 * dot(400)


@pytest.mark.parametrize("point", [(0, 0), (159, 119), (159.5, -0.5)])
def test_clicks_at_the_border_are_drawn_as_far_as_they_fit(point: tuple[float, float]) -> None:
    out = draw_overlay(IMAGE, NOTHING, [click(*point)])
    assert out.shape == IMAGE.shape
    assert (out != IMAGE).any()


def test_a_mask_of_everything_is_drawn() -> None:
    out = draw_overlay(IMAGE, ~NOTHING)
    assert tuple(out[0, 0]) == TINT
    assert (out != IMAGE).any(axis=2).mean() > 0.99
