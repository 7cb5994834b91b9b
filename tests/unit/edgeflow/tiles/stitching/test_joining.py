"""Which pieces of tiles are one object."""

from __future__ import annotations

import numpy as np
import pytest

from edgeflow.agreement.packed import PackedMask
from edgeflow.geometry import Box, Size
from edgeflow.masks.patch import MaskPatch
from edgeflow.tiles.stitching.joining import join
from edgeflow.tiles.stitching.pieces import Piece, cropped, shared

SIZE = Size(40, 100)
LEFT, RIGHT = Box(0, 0, 40, 60), Box(0, 40, 40, 100)
"""Two tiles with an overlap of 20 columns."""


def piece(tile: int, *boxes: Box, label: str | None = "house") -> Piece:
    """What a tile shows of boxes of the picture."""
    mask = np.zeros(SIZE, dtype=np.bool_)
    for box in boxes:
        mask[box.slices] = True
    outside = np.ones(SIZE, dtype=np.bool_)
    outside[(LEFT, RIGHT)[tile].slices] = False
    return Piece(label, PackedMask.of(MaskPatch.of(mask & ~outside)), tile)


def groups(*pieces: Piece, windows: tuple[Box, ...] = (LEFT, RIGHT)) -> list[list[int]]:
    return join(pieces, windows).objects


def test_an_object_across_the_border_is_one() -> None:
    whole = Box(5, 20, 30, 80)
    assert groups(piece(0, whole), piece(1, whole)) == [[0, 1]]


def test_objects_of_two_labels_stay_apart_and_are_told() -> None:
    whole = Box(5, 20, 30, 80)
    joined = join([piece(0, whole), piece(1, whole, label="shed")], (LEFT, RIGHT))
    assert joined.objects == [[0], [1]]
    assert joined.relabelled == 1


def test_objects_without_a_label_are_joined_too() -> None:
    whole = Box(5, 20, 30, 80)
    assert groups(piece(0, whole, label=None), piece(1, whole, label=None)) == [[0, 1]]


def test_touching_objects_stay_apart() -> None:
    upper, lower = Box(0, 20, 20, 80), Box(20, 20, 40, 80)
    assert groups(piece(0, upper), piece(0, lower), piece(1, upper), piece(1, lower)) == [
        [0, 2], [1, 3],
    ]  # fmt: skip


def test_touching_objects_stay_apart_though_both_are_drawn_a_little_wide() -> None:
    upper, lower = Box(0, 20, 20, 80), Box(20, 20, 40, 80)
    wide_upper, wide_lower = Box(0, 20, 22, 80), Box(18, 20, 40, 80)
    joined = join(
        [piece(0, upper), piece(0, lower), piece(1, wide_upper), piece(1, wide_lower)],
        (LEFT, RIGHT),
    )
    assert joined.objects == [[0, 2], [1, 3]]
    assert joined.differing == 2 * 2 * 20  # two rows each, along the overlap


def test_an_object_in_one_tile_alone_stays_alone() -> None:
    assert groups(piece(0, Box(5, 5, 9, 9)), piece(1, Box(5, 90, 9, 99))) == [[0], [1]]


def test_a_part_of_an_object_is_of_that_object() -> None:
    """Whoever annotated the second tile drew hardly a third of it."""
    whole, third = Box(0, 20, 36, 80), Box(0, 40, 10, 80)
    assert groups(piece(0, whole), piece(1, third)) == [[0, 1]]


def test_objects_that_lie_on_one_another_stay_two() -> None:
    roof, house = Box(5, 20, 25, 80), Box(5, 20, 30, 80)
    pieces = [piece(tile, box) for tile in (0, 1) for box in (roof, house)]
    assert groups(*pieces) == [[0, 2], [1, 3]]


def test_two_arms_are_one_object_if_a_tile_shows_that_they_meet() -> None:
    back, thick, thin = Box(0, 0, 40, 10), Box(0, 0, 25, 80), Box(33, 0, 40, 80)
    joined = join([piece(0, back, thick, thin), piece(1, thick), piece(1, thin)], (LEFT, RIGHT))
    assert joined.objects == [[0, 1, 2]]
    assert joined.regrouped == 1


def test_a_sliver_of_a_neighbour_is_not_an_arm() -> None:
    """It lies wholly in the object that the other tile shows, which has its like already."""
    house, narrower = Box(0, 20, 30, 60), Box(0, 20, 28, 60)
    beside = (Box(28, 57, 30, 62), Box(30, 60, 40, 90))
    assert groups(piece(0, house), piece(1, narrower), piece(1, *beside)) == [[0, 1], [2]]


def test_four_tiles_around_a_corner_make_one_object() -> None:
    windows = [Box(top, left, top + 12, left + 60) for top in (0, 8) for left in (0, 40)]
    whole = np.zeros(SIZE, dtype=np.bool_)
    whole[2:18, 20:80] = True
    pieces = []
    for number, window in enumerate(windows):
        part = cropped(MaskPatch.of(whole), window)
        assert part is not None
        pieces.append(Piece("house", PackedMask.of(part), number))
    assert join(pieces, windows).objects == [[0, 1, 2, 3]]


@pytest.mark.parametrize("down", [False, True])
def test_without_an_overlap_pixels_on_both_sides_of_the_border_decide(down: bool) -> None:
    windows = [Box(0, 0, 40, 50), Box(0, 50, 40, 100)]
    rows = (Box(0, 30, 20, 70), Box(20, 30, 40, 70))
    parts = []
    for number, window in enumerate(windows):
        for each in rows:
            mask = np.zeros(SIZE, dtype=np.bool_)
            mask[each.intersection(window).slices] = True
            parts.append((number, mask))
    if down:
        windows = [Box(left, top, right, bottom) for top, left, bottom, right in windows]
        parts = [(number, mask.T) for number, mask in parts]
    pieces = [Piece("house", PackedMask.of(MaskPatch.of(mask)), number) for number, mask in parts]
    assert join(pieces, windows, touching=True).objects == [[0, 2], [1, 3]]
    renamed = [each._replace(tile=1 - each.tile) for each in pieces]
    assert join(renamed, windows[::-1], touching=True).objects == [[0, 2], [1, 3]]
    assert join(pieces, windows).objects == [[0], [1], [2], [3]]


def test_pieces_share_the_pixels_of_both() -> None:
    one = MaskPatch.of(np.array([[True, True, False], [True, True, False]]))
    other = MaskPatch.of(np.array([[False, True, True], [False, False, True]]))
    assert shared(one, other) == 1
    assert cropped(one, Box(0, 2, 2, 3)) is None
