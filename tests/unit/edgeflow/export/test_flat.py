from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from edgeflow.annotated import AnnotatedObject, DrawnBox
from edgeflow.arrays import BoolMask
from edgeflow.data.base import DatasetError
from edgeflow.data.left_out import LeftOut
from edgeflow.export.flat import BOXES, HIDDEN, flatten
from edgeflow.export.format import Overlap
from edgeflow.geometry import Size
from edgeflow.masks.patch import MaskPatch

SIZE = Size(6, 8)


def objects(*masks: BoolMask) -> list[AnnotatedObject]:
    return [
        AnnotatedObject(str(number), ("a",), MaskPatch.of(mask))
        for number, mask in enumerate(masks)
    ]


def rectangle(top: int, left: int, bottom: int, right: int) -> BoolMask:
    mask = np.zeros(SIZE, dtype=np.bool_)
    mask[top:bottom, left:right] = True
    return mask


def test_the_object_drawn_last_is_on_top() -> None:
    small, large = rectangle(1, 1, 3, 3), rectangle(0, 0, 5, 2)
    flat = flatten(objects(small, large), SIZE, "top")
    assert (flat.numbers == np.where(large, 2, np.where(small, 1, 0))).all()


def test_the_smallest_is_on_top_whenever_it_was_drawn() -> None:
    small, large = rectangle(1, 1, 3, 3), rectangle(0, 0, 5, 5)
    flat = flatten(objects(small, large), SIZE, "smallest")
    assert (flat.numbers == np.where(small, 1, np.where(large, 2, 0))).all()
    assert not flat.left_out


def test_overlap_can_be_an_error_that_names_the_objects() -> None:
    with pytest.raises(
        DatasetError, match=r"object 1 \(a\) and object 2 \(a\) overlap in 2 pixels"
    ):
        flatten(objects(rectangle(0, 0, 2, 2), rectangle(0, 1, 2, 3)), SIZE, "error")
    beside = flatten(objects(rectangle(0, 0, 2, 2), rectangle(0, 2, 2, 3)), SIZE, "error")
    assert len(beside.objects) == 2


def test_hidden_objects_and_boxes_are_told_and_the_others_keep_their_order() -> None:
    hidden, cover, free = rectangle(1, 1, 2, 2), rectangle(0, 0, 3, 3), rectangle(4, 4, 6, 6)
    box = AnnotatedObject("box", (), DrawnBox(0, 0, 3, 3))
    flat = flatten([*objects(hidden, cover), box, *objects(free)], SIZE, "top")
    assert [each.key for each in flat.objects] == ["1", "0"]
    assert flat.numbers.max() == 2
    assert sorted(flat.left_out) == sorted((LeftOut(BOXES), LeftOut(HIDDEN)))


@pytest.mark.parametrize("overlap", [each for each in get_args(Overlap) if each != "error"])
@given(masks=st.lists(arrays(np.bool_, tuple(SIZE)).filter(np.any), max_size=5))
def test_every_pixel_of_an_object_has_one_that_covers_it(
    overlap: Overlap, masks: list[BoolMask]
) -> None:
    flat = flatten(objects(*masks), SIZE, overlap)
    union = np.logical_or.reduce([np.zeros(SIZE, dtype=np.bool_), *masks])
    assert ((flat.numbers > 0) == union).all()
    for number, each in enumerate(flat.objects, start=1):
        assert isinstance(each.shape, MaskPatch)
        assert each.shape.whole()[flat.numbers == number].all()
        assert (flat.numbers == number).any()
    assert len(flat.objects) + len(flat.left_out) == len(masks)
