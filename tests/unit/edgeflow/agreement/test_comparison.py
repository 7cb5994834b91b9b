from __future__ import annotations

import pytest
from hypothesis import given, settings

from edgeflow.agreement.comparison import (
    ClassAgreement,
    Match,
    by_class,
    confusions,
    match_objects,
    of_all,
    worst_objects,
)
from edgeflow.agreement.overlap import overlaps
from edgeflow.annotated import AnnotatedObject
from tests.unit.edgeflow.agreement.drawing import boxed, drawn, outlined, several


def keys(matches: list[Match]) -> list[tuple[str | None, str | None]]:
    return [
        (None if each.a is None else each.a.key, None if each.b is None else each.b.key)
        for each in matches
    ]


A = [drawn("a1", 0, 0, 6, 6), drawn("a2", 6, 8, 12, 16), drawn("a3", 0, 10, 3, 13, "dog")]
B = [drawn("b1", 6, 8, 12, 15), drawn("b2", 0, 0, 6, 6, "dog"), drawn("b3", 8, 0, 12, 4)]


def test_objects_are_matched_and_those_that_one_lacks_are_told() -> None:
    matches = match_objects(0, A, B, 0.5)
    assert keys(matches) == [("a1", "b2"), ("a2", "b1"), ("a3", None), (None, "b3")]
    assert [each.iou for each in matches] == [1, pytest.approx(7 / 8), 0, 0]
    assert [each.boundary_iou is None for each in matches] == [False, False, True, True]


def test_of_equally_good_pairs_those_of_one_class_are_chosen() -> None:
    """As where an annotator gives one object two regions for two labels."""
    twice = [drawn("x", 0, 0, 6, 6, "dog"), drawn("y", 0, 0, 6, 6, "cat")]
    again = [drawn("v", 0, 0, 6, 6, "cat"), drawn("w", 0, 0, 6, 6, "dog")]
    assert keys(match_objects(0, twice, again, 0.5)) == [("x", "w"), ("y", "v")]


def test_the_limit_decides_what_is_one_object() -> None:
    one, other = [drawn("a", 0, 0, 6, 6)], [drawn("b", 0, 0, 6, 12)]
    assert len(match_objects(0, one, other, 0.5)) == 1
    assert len(match_objects(0, one, other, 0.51)) == 2


def test_a_box_has_no_rim() -> None:
    (match,) = match_objects(0, [boxed("a", 0, 0, 6, 6)], [outlined("b", 0, 0, 6, 6)], 0.5)
    assert (match.iou, match.boundary_iou) == (1, None)


def test_figures_by_class() -> None:
    matches = match_objects(0, A, B, 0.5)
    cat, dog = by_class(matches)
    assert cat == ClassAgreement("cat", 2, 2, 1, 0, 1, matches[1].iou, matches[1].boundary_iou)
    assert dog == ClassAgreement("dog", 1, 1, 0, 1, 0, None, None)
    everything = of_all(matches)
    assert everything[1:6] == (3, 3, 2, 1, 1)
    assert everything.iou == pytest.approx((1 + 7 / 8) / 2)


def test_classes_that_were_taken_for_each_other_are_counted() -> None:
    none = AnnotatedObject("n", (), A[0].shape)
    matches = [
        *match_objects(0, A, B, 0.5),
        *match_objects(1, A, B, 0.5),
        *match_objects(2, [none], [A[0]], 0.5),
    ]
    assert confusions(matches) == [(("cat", "dog"), 2), ((None, "cat"), 1)]
    assert [each.label for each in by_class(matches)] == ["cat", "dog", None]


def test_the_worst_are_what_is_missing_and_what_agrees_least() -> None:
    pairs = [Match(n, A_SIDE, A_SIDE, iou, 0.5) for n, iou in enumerate((0.9, 0.6, 0.7))]
    lone = [Match(n, A_SIDE._replace(area=area), None, 0, None) for n, area in enumerate((5, 9, 7))]
    chosen = worst_objects([*pairs, *lone], 4)
    assert [(each.iou, each.a.area if each.a else 0) for each in chosen] == [
        (0, 9), (0, 7), (0.6, 36), (0.7, 36)
    ]  # fmt: skip
    assert len(worst_objects([*pairs, *lone], 20)) == 6
    assert [each.iou for each in worst_objects(pairs, 2)] == [0.6, 0.7]
    assert len(worst_objects(lone, 2)) == 2
    assert [each.iou for each in worst_objects([*lone, pairs[0]], 4)] == [0, 0, 0, 0.9]


(_first, *_) = match_objects(0, A[:1], A[:1], 0.5)
assert _first.a is not None
A_SIDE = _first.a


@settings(deadline=None)
@given(several(most=2))
def test_every_object_is_told_once_and_the_sides_may_change_places(
    both: list[list[AnnotatedObject]],
) -> None:
    one, other = both
    matches = match_objects(0, one, other, 0.5)
    assert [each.a.key for each in matches if each.a] == [each.key for each in one]
    assert sorted(each.b.key for each in matches if each.b) == sorted(each.key for each in other)
    back = match_objects(0, other, one, 0.5)
    assert sum(each.iou for each in matches) == pytest.approx(
        sum(each.iou for each in back), abs=1e-4
    )
    ious = overlaps([each.shape for each in one], [each.shape for each in other], 0.5)
    for each in matches:
        if each.a is not None and each.b is not None:
            assert each.iou == ious[each.a.place, each.b.place]
