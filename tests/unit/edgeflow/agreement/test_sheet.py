from __future__ import annotations

import numpy as np
import pytest

from edgeflow.agreement.comparison import match_objects
from edgeflow.agreement.sheet import (
    A_COLOUR,
    B_COLOUR,
    CAPTION,
    CELL,
    GREY,
    cell,
    contact_sheet,
)
from edgeflow.annotated import AnnotatedObject
from edgeflow.arrays import RGBImage
from edgeflow.geometry import Size
from tests.unit.edgeflow.agreement.drawing import boxed, drawn

SIZE = Size(200, 300)


def has(image: RGBImage, colour: tuple[int, int, int]) -> bool:
    return bool((image == colour).all(axis=-1).any())


def draw(
    one: AnnotatedObject | None, other: AnnotatedObject | None, rgb: RGBImage | None = None
) -> RGBImage:
    ones, others = ([each] if each is not None else [] for each in (one, other))
    (match,) = match_objects(0, ones, others, 0.1)
    shapes = [None if each is None else each.shape for each in (one, other)]
    return cell(rgb, "a.jpg", SIZE, match, *shapes)


ONE, OTHER = drawn("a", 50, 50, 120, 160, size=SIZE), drawn("b", 60, 50, 120, 170, size=SIZE)


def test_both_outlines_are_drawn_on_the_part_of_the_image_around_them() -> None:
    rgb = np.zeros((*SIZE, 3), dtype=np.uint8)
    rgb[:, 250:] = (9, 200, 9)
    drawn_cell = draw(ONE, OTHER, rgb)
    assert drawn_cell.shape == (CELL + CAPTION, CELL, 3)
    assert has(drawn_cell, A_COLOUR)
    assert has(drawn_cell, B_COLOUR)
    assert not has(drawn_cell, (9, 200, 9))
    assert not rgb[:, :250].any()


def test_an_outline_lies_where_the_object_is() -> None:
    """Around 110 pixels are 33 on each side."""
    shown = draw(ONE, None, np.zeros((*SIZE, 3), dtype=np.uint8))
    rows, cols = np.nonzero((shown == A_COLOUR).all(axis=-1))
    margin, scale = 33, CELL / (110 + 2 * 33)
    assert cols.min() == pytest.approx(margin * scale, abs=3)
    assert cols.max() == pytest.approx((margin + 110) * scale, abs=3)
    assert rows.min() == pytest.approx(margin * scale, abs=3)
    assert rows.max() == pytest.approx((margin + 70) * scale, abs=3)


@pytest.mark.parametrize(
    ("one", "other", "colour"), [(ONE, None, A_COLOUR), (None, OTHER, B_COLOUR)], ids=["A", "B"]
)
def test_what_one_lacks_is_drawn_alone_and_without_its_image_on_grey(
    one: AnnotatedObject | None, other: AnnotatedObject | None, colour: tuple[int, int, int]
) -> None:
    shown = draw(one, other)
    assert has(shown, colour)
    assert has(shown, A_COLOUR) != has(shown, B_COLOUR)
    assert has(shown, (GREY, GREY, GREY))


@pytest.mark.parametrize(
    "box",
    [
        boxed("b", 0, 0, 300, 200),
        boxed("b", 299.5, 199.5, 0.5, 0.5),
        boxed("b", -1e12, -1e12, 1e13, 1e13),
        boxed("b", 1e9, 1e9, 5, 5),
    ],
    ids=["whole", "corner", "huge", "outside"],
)
def test_boxes_wherever_they_are(box: AnnotatedObject) -> None:
    assert draw(box, None).shape == (CELL + CAPTION, CELL, 3)


def test_a_single_pixel_is_shown_with_what_is_around_it() -> None:
    assert has(draw(drawn("a", 0, 0, 1, 1, size=SIZE), None), A_COLOUR)


def test_cells_are_laid_out_side_by_side() -> None:
    sheet = contact_sheet([draw(ONE, OTHER)] * 7)
    assert sheet.shape == (2 * (CELL + CAPTION), 6 * CELL, 3)
