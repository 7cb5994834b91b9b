from __future__ import annotations

import numpy as np
import pytest

from edgeflow.geometry import Size
from edgeflow_backend.examples.accepted import Place, accepted_in
from edgeflow_backend.examples.library import Category
from edgeflow_backend.memory.byte_lru import ByteLRU
from edgeflow_backend.objects.task_regions import MaskCache
from tests.contract.wire import JSONObject
from tests.unit.edgeflow_backend.examples.studio import SIZE, disk, region


@pytest.fixture
def cache() -> MaskCache:
    return ByteLRU(1_000_000)


def polygon(key: str, left: float, *, of: str = "") -> JSONObject:
    """A square, perhaps a piece of an object."""
    corners = [[left, 10], [left + 10, 10], [left + 10, 20], [left, 20]]
    record = {"v": 1, "object": of, "model": "m", "box": [0, 0, 1, 1], "digest": "d"}
    return {
        "id": key,
        "type": "polygonlabels",
        "from_name": "outline",
        "to_name": "image",
        "original_width": 100,
        "original_height": 100,
        "value": {"points": corners, "closed": True, "polygonlabels": ["leaf"]},
        **({"meta": {"edgeflow": record}} if of else {}),
    }


def test_masks_are_examples_of_what_they_are_labelled_as(cache: MaskCache) -> None:
    (first, second) = accepted_in([{"id": 7, "result": [region(0), region(1, "other")]}])
    assert first.category == Category("mask", ("disk",))
    assert second.category == Category("mask", ("other",))
    assert (first.object, first.annotation, first.place) == ("r0", 7, Place("image", 0))
    mask = first.mask(SIZE, cache)
    assert mask is not None
    assert np.array_equal(mask.whole(), disk(0))


def test_drafts_belong_to_no_annotation_and_skipped_ones_hold_no_examples() -> None:
    draft = {"id": 3, "annotation": 7, "result": [region(0)]}
    skipped = {"id": 8, "was_cancelled": True, "result": [region(1)]}
    assert [each.annotation for each in accepted_in([draft, skipped])] == [0]


def test_the_pieces_of_an_object_are_one_example(cache: MaskCache) -> None:
    pieces = [polygon("ef1", 10, of="ef1"), polygon("ef1-2", 60, of="ef1"), polygon("ef2", 30)]
    whole, other = accepted_in([{"id": 1, "result": pieces}])
    mask, alone = (each.mask(Size(100, 100), cache) for each in (whole, other))
    assert mask is not None
    assert alone is not None
    assert (mask.box.left, mask.box.right) == (10, 70)
    assert np.count_nonzero(mask.pixels) == 2 * np.count_nonzero(alone.pixels)


def test_a_copy_with_a_new_id_is_an_object_of_its_own() -> None:
    pieces = [polygon("ef1", 10, of="ef1"), polygon("copy", 60, of="ef1")]
    assert [each.object for each in accepted_in([{"id": 1, "result": pieces}])] == ["ef1", "copy"]


def test_rectangles_and_points_are_no_masks() -> None:
    box = {
        **region(0),
        "type": "rectanglelabels",
        "value": {"x": 1, "y": 1, "rectanglelabels": ["a"]},
    }
    point = {**region(0), "type": "keypoint", "value": {"x": 1, "y": 1}}
    assert accepted_in([{"id": 1, "result": [box, point]}]) == []


def test_a_mask_of_another_size_is_brought_to_the_image(cache: MaskCache) -> None:
    (found,) = accepted_in([{"id": 1, "result": [region(0)]}])
    double = Size(2 * SIZE.height, 2 * SIZE.width)
    mask = found.mask(double, cache)
    assert mask is not None
    assert mask.image_size == double
    assert np.count_nonzero(mask.pixels) == 4 * np.count_nonzero(disk(0))


@pytest.mark.parametrize("result", [None, 5, {}, [None], [{}], [{"id": 1, "type": "brush"}]])
def test_what_makes_no_sense_is_passed_over(result: object) -> None:
    assert accepted_in([{"id": "x", "result": result}, {}]) == []


def test_a_mask_that_cannot_be_read_is_none(cache: MaskCache) -> None:
    broken = region(0, value={"rle": [1, 2], "brushlabels": ["disk"]})
    empty = region(1)
    empty["value"]["rle"] = []
    for each in accepted_in([{"id": 1, "result": [broken, empty]}]):
        assert each.mask(SIZE, cache) is None


def test_masks_keep_to_their_image() -> None:
    second = region(0, item_index=1)
    places = [each.place for each in accepted_in([{"id": 1, "result": [region(0), second]}])]
    assert places == [Place("image", 0), Place("image", 1)]
