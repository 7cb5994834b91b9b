from __future__ import annotations

from edgeflow.learning.split import is_held_out, split
from tests.unit.edgeflow.learning.learning_samples import accepted


def test_a_fifth_of_the_tasks_is_held_out_and_always_the_same_ones() -> None:
    held_out = [task for task in range(1, 10_001) if is_held_out(task)]
    assert 1800 < len(held_out) < 2200
    # Written down: whatever a version was judged by must never be learnt from.
    assert held_out[:8] == [4, 5, 11, 12, 14, 19, 26, 32]


def test_what_is_added_moves_nothing_to_the_other_side() -> None:
    few = split(accepted(task) for task in range(1, 40))
    more = split(accepted(task) for task in range(1, 400))
    assert set(few.training) <= set(more.training)
    assert set(few.held_out) <= set(more.held_out)
    assert not set(more.training) & set(more.held_out)


def test_a_picture_that_is_held_out_is_learnt_from_in_no_other_task() -> None:
    held_out = next(task for task in range(1, 100) if is_held_out(task))
    others = [task for task in range(1, 100) if not is_held_out(task)][:2]
    shared = accepted(others[0], picture="f" * 64)
    judged = accepted(held_out, picture="f" * 64)
    parted = split([shared, judged, accepted(others[1])])
    assert parted.training == (accepted(others[1]),)
    assert parted.held_out == (judged,)
