"""Which masks on several pages are one object, and where the way of each ends."""

from __future__ import annotations

import numpy as np

from edgeflow.masks.patch import MaskPatch
from edgeflow.sequences.linking import PageRegion, SequenceObject, link


def region(page: int, key: str, label: str = "cat", left: int = 0) -> PageRegion:
    mask = np.zeros((8, 20), dtype=np.bool_)
    mask[2:5, left : left + 3] = True
    return PageRegion(page, key, "Brush", (label,), MaskPatch.of(mask))


def closed(each: SequenceObject) -> list[int]:
    """Pages on which it must not be answered, though it is not there."""
    return sorted(each.known.keys() - set(each.pages))


def test_a_label_that_no_page_has_twice_is_one_object() -> None:
    cat, dog = link([region(7, "b"), region(1, "a"), region(3, "c", "dog")])
    assert (cat.labels, cat.pages, closed(cat)) == (("cat",), [1, 7], [])
    assert (dog.labels, dog.pages, closed(dog)) == (("dog",), [3], [])


def test_objects_that_cannot_be_told_apart_go_half_the_way_to_the_next_annotated_page() -> None:
    found = link([region(2, "a"), region(2, "b", left=9), region(7, "c"), region(8, "d")])
    assert {each.key: (each.pages, closed(each)) for each in found} == {
        "a": ([2], [5]),
        "b": ([2], [5]),
        "c": ([7], [4, 8]),
        "d": ([8], [7]),
    }
    assert all(each.known[page].empty for each in found for page in closed(each))


def test_no_object_is_carried_onto_an_annotated_page() -> None:
    one, two = link([region(0, "a"), region(0, "b", left=9)])
    assert not closed(one)
    assert not closed(two)
    *_, last = link([region(0, "a"), region(0, "b", left=9), region(1, "c")])
    assert (last.pages, closed(last)) == ([1], [0])


def test_a_key_on_two_pages_says_that_it_is_one_object() -> None:
    found = link([region(0, "a"), region(0, "b", left=9), region(6, "a", left=2)])
    assert {each.key: (each.pages, closed(each)) for each in found} == {
        "a": ([0, 6], []),
        "b": ([0], [4]),
    }


def test_the_pieces_of_an_object_are_one_mask() -> None:
    (whole,) = link([region(0, "a"), region(0, "a", left=9)])
    assert whole.known[0].whole().sum() == 18
