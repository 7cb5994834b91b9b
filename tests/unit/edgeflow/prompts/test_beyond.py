from __future__ import annotations

import numpy as np
import pytest
import torch

from edgeflow.arrays import BoolMask, FloatMap
from edgeflow.geometry import Box, Size
from edgeflow.prompts.beyond import REACH, SURE, beyond
from edgeflow.prompts.outline import Outline

SIZE = Size(200, 300)
WHOLE = Box.whole(SIZE)
BOX = Box(50, 100, 150, 200)
"""Of 100 by 100 pixels, so that a part of its sides is a number of pixels."""


def object_with(*pieces: tuple[Box, float]) -> FloatMap:
    """A map at the image's scale: the box's inside, and pieces of some probability outside."""
    values = np.full(SIZE, 0.1, np.float32)
    for box, probability in pieces:
        values[box.slices] = probability
    values[BOX.slices] = 0.95
    return values


def found(values: FloatMap, frame: Box = WHOLE) -> BoolMask | None:
    """The pieces that stay, without the rim around them."""
    pieces = beyond(values[frame.slices], BOX, frame, SIZE)
    return None if pieces is None else pieces.whole() & (values > 0.5)


def outside(box: Box) -> BoolMask:
    mask = np.zeros(SIZE, dtype=np.bool_)
    mask[box.slices] = True
    mask[BOX.slices] = False
    return mask


@pytest.mark.parametrize("frame", [WHOLE, Box(20, 60, 180, 260)], ids=["whole", "region"])
@pytest.mark.parametrize(
    "piece",
    [
        Box(45, 120, 60, 140),
        Box(140, 120, 157, 140),
        Box(80, 93, 100, 110),
        Box(80, 190, 100, 207),
        Box(43, 93, 157, 207),
    ],
    ids=["above", "below", "left", "right", "all around"],
)
def test_a_sure_piece_that_soon_ends_stays(piece: Box, frame: Box) -> None:
    stays = found(object_with((piece, 0.9)), frame)
    assert stays is not None
    np.testing.assert_array_equal(stays & outside(WHOLE), outside(piece))


@pytest.mark.parametrize(
    ("piece", "probability"),
    [
        (Box(45, 120, 60, 140), SURE - 0.01),
        (Box(50 - int(100 * REACH) - 1, 120, 60, 140), 0.99),
        (Box(0, 120, 60, 140), 0.99),
        (Box(80, 190, 100, 300), 0.99),
    ],
    ids=["unsure", "too far", "to the edge", "another object"],
)
def test_any_other_piece_is_cut_off_at_the_box(piece: Box, probability: float) -> None:
    assert found(object_with((piece, probability))) is None


def test_pieces_are_judged_one_by_one() -> None:
    good, long = Box(45, 110, 60, 120), Box(0, 150, 60, 160)
    stays = found(object_with((good, 0.9), (long, 0.9)))
    assert stays is not None
    np.testing.assert_array_equal(stays & outside(WHOLE), outside(good))


def test_a_mask_that_does_not_leave_its_box_has_no_pieces() -> None:
    assert beyond(object_with(), BOX, WHOLE, SIZE) is None
    assert beyond(np.zeros(SIZE, np.float32), BOX, WHOLE, SIZE) is None


@pytest.mark.parametrize("scale", [2, 3, 10])
def test_a_grid_coarser_than_the_image_gives_blocks_of_it(scale: int) -> None:
    """The rim covers where the enlarged map falls below the threshold."""
    size, box = Size(SIZE.height * scale, SIZE.width * scale), Box(*(scale * v for v in BOX))
    pieces = beyond(object_with((Box(45, 120, 60, 140), 0.9)), box, Box.whole(size), size)
    assert pieces is not None
    assert pieces.box == Box(*(scale * v for v in (44, 119, 51, 141)))


def test_a_loosened_box_lets_its_pieces_through_and_a_lasso_nothing() -> None:
    values = object_with((Box(45, 120, 60, 140), 0.9), (Box(0, 150, 60, 160), 0.9))
    grid = torch.from_numpy(values)
    outline = Outline(BOX)
    loosened = outline.loosened(grid[None, None], WHOLE, SIZE)
    assert loosened.digest == outline.digest
    left = loosened.confine(grid, WHOLE).numpy() > 0.5
    np.testing.assert_array_equal(left, ~outside(WHOLE) | outside(Box(45, 120, 60, 140)))
    part = Box(30, 110, 90, 150)
    np.testing.assert_array_equal(
        loosened.confine(grid[part.slices], part).numpy() > 0.5, left[part.slices]
    )
    inside = np.zeros(SIZE, dtype=np.bool_)
    inside[BOX.slices] = True
    lasso = Outline(BOX, inside)
    assert lasso.loosened(grid[None, None], WHOLE, SIZE) is lasso
