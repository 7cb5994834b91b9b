from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from edgeflow.arrays import BoolMask
from edgeflow.errors import PromptError
from edgeflow.geometry import Box, Size
from edgeflow.masks.patch import MaskPatch, bounding_box, check_shape, mask_digest

SHAPES = hnp.array_shapes(min_dims=2, max_dims=2, max_side=12)
MASKS = hnp.arrays(np.bool_, SHAPES, elements=st.sampled_from([False, False, True]))
PROPERTY = settings(deadline=None)


def blob(height: int = 60, width: int = 80) -> BoolMask:
    rows, cols = np.mgrid[:height, :width]
    mask: BoolMask = np.hypot(rows - 30, cols - 40) < 12
    return mask


@PROPERTY
@given(MASKS)
def test_a_box_is_the_smallest_around_all_pixels_of_a_mask(mask: BoolMask) -> None:
    pixels = np.argwhere(mask)
    if len(pixels) == 0:
        assert bounding_box(mask) is None
    else:
        (top, left), (bottom, right) = pixels.min(axis=0), pixels.max(axis=0) + 1
        assert bounding_box(mask) == Box(top, left, bottom, right)


@PROPERTY
@given(MASKS)
def test_the_memory_layout_of_a_mask_does_not_change_its_box(mask: BoolMask) -> None:
    turned, doubled = mask[:, ::-1].copy()[:, ::-1], np.repeat(mask, 2, axis=1)[:, ::2]
    for layout in (np.asfortranarray(mask), turned, doubled):
        assert bounding_box(layout) == bounding_box(mask)


@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (5, 0)])
def test_a_mask_without_pixels_has_no_box(shape: tuple[int, int]) -> None:
    assert bounding_box(np.zeros(shape, np.bool_)) is None


@PROPERTY
@given(MASKS)
def test_a_patch_is_the_content_of_the_box_and_gives_the_mask_back(mask: BoolMask) -> None:
    patch = MaskPatch.of(mask)
    assert patch.empty == (not mask.any())
    assert patch.image_size == mask.shape
    assert np.array_equal(patch.pixels, mask[patch.box.slices])
    assert np.array_equal(patch.whole(), mask)
    assert patch.nbytes == patch.box.area


@PROPERTY
@given(MASKS, st.integers(0, 5), st.integers(0, 5))
def test_a_patch_of_a_part_of_the_image_is_that_of_the_whole_mask(
    mask: BoolMask, down: int, right: int
) -> None:
    size = Size(mask.shape[0] + down + 3, mask.shape[1] + right + 2)
    frame = Box.whole(Size(*mask.shape)).shifted(down, right)
    whole = np.zeros(size, np.bool_)
    whole[frame.slices] = mask
    patch, expected = MaskPatch.within_frame(mask, frame, size), MaskPatch.of(whole)
    assert patch[1:] == expected[1:]
    assert np.array_equal(patch.pixels, expected.pixels)


def test_a_patch_shares_no_memory_with_the_mask_or_what_it_gives_back() -> None:
    mask = np.ones((4, 5), np.bool_)
    patch = MaskPatch.of(mask)
    assert not np.shares_memory(patch.pixels, mask)
    assert not np.shares_memory(patch.pixels, patch.whole())


def test_digests_and_percent_boxes_are_what_stored_records_say() -> None:
    # Regions in people's projects carry them: another value means that a mask was edited by hand.
    patch = MaskPatch.of(blob())
    assert patch.digest == "3cb36f4542c7dc6d0fa437fa9cc8083e"
    assert patch.percent_box == (36.25, 31.666666666666668, 28.75, 38.333333333333336)
    empty = MaskPatch.of(np.zeros((60, 80), np.bool_))
    assert empty.digest == "8ec2b458f76cd00b31890ef387280179"
    assert empty.percent_box == (0, 0, 0, 0)


def test_a_mask_digest_tells_shapes_of_equal_bits_apart() -> None:
    assert mask_digest(np.ones((2, 8), np.bool_)) != mask_digest(np.ones((8, 2), np.bool_))


def test_a_mask_of_another_size_is_refused_by_name() -> None:
    check_shape("mask", blob(), Size(60, 80))
    with pytest.raises(PromptError, match="the lasso is 80×60, the image 60×80"):
        check_shape("lasso", blob(), Size(80, 60))


def test_overlap_is_that_of_the_whole_masks() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        masks = []
        for _ in range(2):
            mask = np.zeros((20, 30), dtype=np.bool_)
            top, left = rng.integers(0, 15), rng.integers(0, 25)
            mask[top : top + 9, left : left + 9] = (
                rng.random(mask[top : top + 9, left : left + 9].shape) > 0.4
            )
            masks.append(mask)
        one, two = masks
        expected = (one & two).sum() / (one | two).sum()
        assert MaskPatch.of(one).iou(MaskPatch.of(two)) == pytest.approx(expected)
    nothing = MaskPatch.of(np.zeros((20, 30), dtype=np.bool_))
    assert nothing.iou(nothing) == nothing.iou(MaskPatch.of(one)) == 0
