from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeflow.agreement.consensus import METHODS, consensus
from edgeflow.annotated import AnnotatedObject, DrawnBox
from edgeflow.masks.patch import MaskPatch
from tests.unit.edgeflow.agreement.drawing import block, boxed, drawn, outlined, several

THREE = [
    [drawn("a", 0, 0, 6, 6)],
    [drawn("b", 1, 0, 6, 6)],
    [drawn("c", 0, 0, 6, 7)],
]


def masks(objects: tuple[AnnotatedObject, ...]) -> list[tuple[str, bytes]]:
    return [
        (each.key, each.shape.whole().tobytes() if isinstance(each.shape, MaskPatch) else b"")
        for each in objects
    ]


@pytest.mark.parametrize("method", METHODS)
def test_three_drawings_of_an_object_become_one(method: str) -> None:
    (agreed,), outvoted = consensus(THREE, method)
    assert (agreed.key, agreed.labels, outvoted) == ("a", ("cat",), 0)
    assert isinstance(agreed.shape, MaskPatch)
    assert (agreed.shape.whole() == block(0, 0, 6, 6)).all()


def test_a_tie_between_pixels_is_out() -> None:
    (agreed,), _ = consensus([[drawn("a", 0, 0, 6, 6)], [drawn("b", 2, 0, 6, 8)]], "vote")
    assert isinstance(agreed.shape, MaskPatch)
    assert (agreed.shape.whole() == block(2, 0, 6, 6)).all()


@pytest.mark.parametrize(("empty", "kept"), [(0, 1), (1, 1), (2, 0)])
def test_an_object_is_kept_if_more_than_half_drew_it(empty: int, kept: int) -> None:
    """Those who drew nothing at all have annotated the image, too."""
    agreed = consensus([*THREE[:2], *[[]] * empty], "vote")
    assert (len(agreed.objects), agreed.outvoted) == (kept, 1 - kept)


def test_a_class_that_one_annotator_gave_is_outvoted() -> None:
    odd = [drawn("c", 0, 0, 6, 7, "dog")]
    agreed = consensus([*THREE[:2], odd], "vote")
    assert [each.labels for each in agreed.objects] == [("cat",)]
    assert agreed.outvoted == 1


def test_of_several_labels_those_that_most_gave_are_kept() -> None:
    labels = {"a": ("cat",), "b": ("cat", "wet"), "c": ("cat", "wet")}
    some = [[drawn(key, 0, 0, 6, 6, *names)] for key, names in labels.items()]
    (agreed,), _ = consensus(some, "vote")
    assert agreed.labels == ("cat", "wet")


def test_the_sides_of_boxes_are_medians() -> None:
    some = [
        [boxed("a", 1, 1, 4, 4)],
        [boxed("b", 1.5, 1, 4, 4, turned=True)],
        [boxed("c", 1, 0.5, 5, 4)],
    ]
    (agreed,), _ = consensus(some, "staple")
    assert agreed.shape == DrawnBox(1, 1, 4.5, 4, turned=True)


def test_a_box_among_masks_is_a_vote_for_the_object_and_not_for_its_pixels() -> None:
    (agreed,), _ = consensus([THREE[0], [boxed("b", 0, 0, 7, 6)], []], "vote")
    assert isinstance(agreed.shape, MaskPatch)
    assert (agreed.shape.whole() == block(0, 0, 6, 6)).all()


def test_a_single_annotation_stays_as_it_is() -> None:
    alone = [outlined("a", 0, 0, 6, 6), boxed("b", 1, 1, 2, 2)]
    assert consensus([alone], "vote").objects == tuple(alone)


def test_outlines_become_masks() -> None:
    (agreed,), _ = consensus([[outlined("a", 0, 0, 6, 6)], THREE[1]], "vote")
    assert isinstance(agreed.shape, MaskPatch)


def test_drawings_that_agree_on_no_pixel_are_outvoted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(METHODS, "none", lambda drawn: np.zeros_like(drawn[0]))
    assert consensus(THREE, "none") == ((), 1)


def test_keys_stay_unique() -> None:
    """Where annotators call different objects alike, as without ids."""
    one = [drawn("0", 0, 0, 6, 6), drawn("1", 6, 8, 12, 16)]
    other = [drawn("0", 6, 8, 12, 16), drawn("1", 0, 0, 6, 6)]
    assert [each.key for each in consensus([one, other], "vote").objects] == ["0", "0-2"]


@settings(deadline=None)
@given(several(), st.integers(0, 99), st.sampled_from(sorted(METHODS)))
def test_the_order_of_annotators_does_not_count(
    some: list[list[AnnotatedObject]], seed: int, method: str
) -> None:
    first = consensus(some, method)
    shuffled = random.Random(seed).sample(some, len(some))
    second = consensus(shuffled, method)
    assert masks(first.objects) == masks(second.objects)
    assert [each.labels for each in first.objects] == [each.labels for each in second.objects]
    assert len({each.key for each in first.objects}) == len(first.objects)
    drawings = sum(len(objects) for objects in some)
    assert len(first.objects) + first.outvoted <= drawings
    for each in first.objects:
        assert isinstance(each.shape, MaskPatch)
        assert not each.shape.empty
