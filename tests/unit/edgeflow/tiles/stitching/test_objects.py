"""Objects are the same as if nobody had cut the picture into tiles."""

from __future__ import annotations

import cv2
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeflow.geometry import Box, Size
from tests.unit.edgeflow.tiles.stitching.stitching_world import drawn_on, rectangle, tile_set


@settings(deadline=None, max_examples=20)
@given(
    seed=st.integers(0, 2**32),
    height=st.integers(5, 40),
    width=st.integers(5, 40),
    side=st.integers(6, 30),
    overlap=st.integers(1, 5),
)
def test_any_objects_come_back_to_the_pixel(
    seed: int, height: int, width: int, side: int, overlap: int
) -> None:
    """Blobs and crumbs of any shape, all of one label, in any grid whose tiles overlap."""
    size = Size(height, width)
    noise = np.random.default_rng(seed).random(size).astype(np.float32)
    ground = cv2.GaussianBlur(noise, (0, 0), 0.4 + seed % 3) > 0.5
    count, ids = cv2.connectedComponents(ground.astype(np.uint8), connectivity=8)
    masks = [("house", ids == number) for number in range(1, count)]
    tiles = tile_set(size, side=side, overlap=overlap)
    drawn = drawn_on(tiles, *masks)
    found = {}
    for each in drawn.objects:
        whole = np.zeros(size, dtype=np.bool_)
        for place, mask in each.strips():
            whole[place.slices] |= mask
        found[whole.tobytes()] = each.pixels
    assert found == {mask.tobytes(): np.count_nonzero(mask) for _, mask in masks}
    assert drawn.joined.differing == 0


def test_objects_are_numbered_as_one_reads() -> None:
    size = Size(300, 400)
    boxes = [(200, 10, 220, 390), (10, 300, 150, 310), (10, 5, 40, 40)]
    drawn = drawn_on(tile_set(size), *((str(box), rectangle(size, *box)) for box in boxes))
    assert [each.box for each in drawn.objects] == [Box(*box) for box in reversed(boxes)]
    assert [each.number for each in drawn.objects] == [1, 2, 3]
    assert {drawn.owners[place] for place, piece in enumerate(drawn.pieces)} == {1, 2, 3}
