from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edgeflow.evaluate.similar.matching import Counts, Matching, match, seen
from edgeflow.masks.patch import MaskPatch
from tests.unit.edgeflow.evaluate.scripted import square


def bar(first: int, last: int, row: int = 0) -> MaskPatch:
    """A line of a 4×40 image, from its first pixel to before its last."""
    return MaskPatch.of(square(4, 40, slice(row, row + 1), slice(first, last)))


def test_each_suggestion_is_at_most_one_object_and_the_reverse() -> None:
    matching = match([bar(0, 10), bar(0, 9), bar(30, 40)], [bar(0, 10), bar(20, 30)])
    assert matching == Matching((1, 0, 0), (1, 0), partners=(0, None))
    assert matching.counts(0.5) == Counts(right=1, suggested=3, objects=2)
    assert matching.missed(0.5) == [1]


def test_the_largest_overlap_is_paired_first_whatever_the_order() -> None:
    one, other = bar(0, 10), bar(0, 6)
    assert match([other, one], [bar(0, 10)]).suggestions == (0, 1)
    assert match([one, other], [bar(0, 10)]).suggestions == (1, 0)


def test_a_pair_counts_from_the_limit_on() -> None:
    matching = match([bar(0, 5)], [bar(0, 10)])
    assert matching.suggestions == (0.5,)
    assert matching.counts(0.5).right == 1
    assert matching.counts(0.51).right == 0
    assert matching.mean_iou(0.5) == 0.5
    assert matching.mean_iou(0.75) is None


def test_shares_of_nothing_are_not_given() -> None:
    nothing = match([], []).counts(0.5)
    assert (nothing.precision, nothing.recall, nothing.f1) == (None, None, None)
    missed = match([], [bar(0, 3)]).counts(0.5)
    assert (missed.precision, missed.recall, missed.f1, missed.missed) == (None, 0, 0, 1)
    excess = match([bar(0, 3)], []).counts(0.5)
    assert (excess.precision, excess.recall, excess.f1, excess.wrong) == (0, None, 0, 1)
    half = Counts(right=1, suggested=1, objects=4)
    assert (half.precision, half.recall, half.f1) == (1, 0.25, 0.4)


bars = st.lists(
    st.builds(
        lambda first, length, row: bar(first, first + length, row),
        st.integers(0, 25), st.integers(1, 15), st.integers(0, 1),
    ),
    max_size=5,
)  # fmt: skip


@given(bars, bars, st.sampled_from([0.1, 0.4, 0.5, 0.75]))
def test_one_matching_serves_all_limits(
    suggestions: list[MaskPatch], objects: list[MaskPatch], least: float
) -> None:
    """Greedy matching among the pairs from a limit on finds the same pairs."""
    matching = match(suggestions, objects)
    pairs = sorted(
        ((-one.iou(other), row, col) for row, one in enumerate(suggestions)
         for col, other in enumerate(objects) if one.iou(other) >= least),
    )  # fmt: skip
    rows, cols = set[int](), set[int]()
    for _, row, col in pairs:
        if row not in rows and col not in cols:
            rows.add(row)
            cols.add(col)
    assert {row for row, iou in enumerate(matching.suggestions) if iou >= least} == rows
    assert set(range(len(objects))) - set(matching.missed(least)) == cols


def test_what_the_annotation_ignores_is_no_fault() -> None:
    ignore = square(4, 40, slice(0, 4), slice(10, 40))
    inside, across, outside = bar(12, 20), bar(4, 12), bar(0, 5)
    kept = seen([inside, across, outside], ignore)
    assert [mask.box for mask in kept] == [bar(4, 10).box, bar(0, 5).box]
    assert seen([inside], None) == [inside]
    assert seen([MaskPatch.of(np.zeros((4, 40), dtype=np.bool_))], ignore) == []
