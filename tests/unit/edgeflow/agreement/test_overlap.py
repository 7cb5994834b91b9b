from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from edgeflow.agreement.overlap import boundary_iou, overlaps, placed
from edgeflow.annotated import AnnotatedObject, DrawnBox, mask_of
from edgeflow.evaluate.boundary import BoundaryIoU
from edgeflow.geometry import Box, Size
from edgeflow.masks.patch import MaskPatch
from tests.unit.edgeflow.agreement.drawing import block, boxed, drawn, outlined, several


def shapes(*objects: AnnotatedObject) -> list[MaskPatch | DrawnBox]:
    return [mask_of(each.shape) or each.shape for each in objects]  # type: ignore[misc]


@settings(deadline=None)
@given(several(most=2))
def test_those_that_reach_the_limit_are_found_and_no_others(
    both: list[list[AnnotatedObject]],
) -> None:
    ones, others = (shapes(*each) for each in both)
    for least in (0.01, 0.5, 0.9):
        expected = {}
        for row, one in enumerate(ones):
            for col, other in enumerate(others):
                first, second = one.whole(), other.whole()  # type: ignore[union-attr]
                iou = (first & second).sum() / (first | second).sum()
                if iou >= least:
                    expected[row, col] = pytest.approx(iou)
        assert overlaps(ones, others, least) == expected


def test_a_box_is_compared_by_the_boxes() -> None:
    mask, box = drawn("m", 2, 2, 6, 6), boxed("b", 2, 2, 4, 2)
    round_one = drawn("r", 2, 2, 6, 6).shape
    assert isinstance(round_one, MaskPatch)
    round_one.pixels[0, 0] = False
    found = overlaps([mask.shape, box.shape, round_one], [box.shape], 0.1)
    assert found == {(0, 0): 0.5, (1, 0): 1.0, (2, 0): 0.5}


def test_outlines_are_compared_by_what_they_cover() -> None:
    assert overlaps([outlined("p", 1, 1, 5, 5).shape], [drawn("m", 1, 1, 5, 5).shape], 1) == {
        (0, 0): 1.0
    }


def test_nothing_overlaps_with_nothing() -> None:
    some = [drawn("a", 0, 0, 2, 2).shape]
    assert overlaps(some, [], 0.1) == overlaps([], some, 0.1) == overlaps([], [], 0.1) == {}
    assert overlaps(some, [drawn("b", 4, 4, 6, 6).shape], 0.1) == {}


@pytest.mark.parametrize("size", [Size(60, 80), Size(200, 150)])
def test_boundary_iou_is_that_of_the_whole_images(size: Size) -> None:
    chance = np.random.default_rng(0)
    for _ in range(20):
        masks = []
        for _ in range(2):
            top, left = chance.integers(0, 20, 2).tolist()
            mask = block(top, left, top + 40, left + 55, size)  # some reach the image's edge
            mask[chance.random(mask.shape) < 0.002] ^= True
            masks.append(mask)
        exact = BoundaryIoU(masks[0], np.ones(size, dtype=np.bool_))(masks[1])
        assert boundary_iou(*map(MaskPatch.of, masks)) == pytest.approx(exact)


def test_a_mask_is_placed_in_a_frame() -> None:
    patch = MaskPatch.of(block(2, 3, 5, 9))
    frame = Box(1, 2, 8, 12)
    assert (placed(patch, frame) == patch.whole()[frame.slices]).all()
