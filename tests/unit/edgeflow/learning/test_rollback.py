from __future__ import annotations

from typing import Any

import numpy as np

from edgeflow.learning.accepted import AcceptedObject, PercentClick
from edgeflow.learning.rollback import reason_to_roll_back
from tests.unit.edgeflow.learning.learning_samples import accepted, origin

NEW, OLD = "edgeflow_lite.5.1-abcd", "edgeflow_lite-1234"
MADE = "2026-11-28T12:00:00+00:00"


def objects(model: str, clicks: list[int], hour: int, **changes: Any) -> list[AcceptedObject]:
    return [
        accepted(
            number,
            origin=origin(number, created_at=f"2026-11-28T{hour}:{number % 60:02}:00Z"),
            model=model,
            clicks=(PercentClick(30.0, 40.0, True),) * count,
            **changes,
        )
        for number, count in enumerate(clicks)
    ]


def about(mean: float, count: int = 40, seed: int = 0) -> list[int]:
    return [int(each) for each in 1 + np.random.default_rng(seed).poisson(mean - 1, count)]


def test_more_clicks_an_object_than_before_withdraw_a_version() -> None:
    before = objects(OLD, about(3), 10)
    worse = objects(NEW, about(5, seed=1), 13)
    reason = reason_to_roll_back([*worse, *before], NEW, MADE)
    assert "clicks per accepted object rose from" in reason


def test_fewer_or_as_many_do_not() -> None:
    before = objects(OLD, about(3), 10)
    for mean in (2.0, 3.0):
        assert (
            reason_to_roll_back([*before, *objects(NEW, about(mean, seed=2), 13)], NEW, MADE) == ""
        )


def test_a_few_objects_tell_nothing() -> None:
    before = objects(OLD, about(2), 10)
    assert reason_to_roll_back([*before, *objects(NEW, [9] * 19, 13)], NEW, MADE) == ""
    assert reason_to_roll_back([*before, *objects(NEW, [9] * 20, 13)], NEW, MADE) != ""


def test_harder_labels_are_no_reason() -> None:
    hard, easy = {"labels": ("hard",)}, {"labels": ("easy",)}
    before = [*objects(OLD, [2] * 40, 10, **easy), *objects(OLD, [8] * 20, 10, **hard)]
    after = [*objects(NEW, [2] * 20, 13, **easy), *objects(NEW, [8] * 40, 13, **hard)]
    assert reason_to_roll_back([*before, *after], NEW, MADE) == ""
    unseen = objects(NEW, [9] * 40, 13, labels=("unseen",))
    assert reason_to_roll_back([*before, *unseen], NEW, MADE) == ""


def test_more_corrections_by_hand_withdraw_it_too() -> None:
    before = objects(OLD, [3] * 40, 10)
    corrected = objects(NEW, [3] * 20, 13, edited=True)
    reason = reason_to_roll_back([*before, *corrected, *objects(NEW, [3] * 20, 13)], NEW, MADE)
    assert "corrected by hand rose from 0% to 50%" in reason


def test_what_other_processes_still_made_with_the_old_weights_counts_on_neither_side() -> None:
    late = objects(OLD, [1] * 40, 14)
    assert reason_to_roll_back([*late, *objects(NEW, [9] * 40, 13)], NEW, MADE) == ""
