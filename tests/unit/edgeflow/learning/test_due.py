from __future__ import annotations

import pytest

from edgeflow.learning.due import LastTraining, due


@pytest.mark.parametrize(
    ("objects", "last", "asked", "expected"),
    [
        (29, None, False, False),
        (30, None, False, True),
        (3, None, True, True),
        (0, None, True, False),
        (44, LastTraining(30, finished=True, attempts=1), False, False),
        (45, LastTraining(30, finished=True, attempts=1), False, True),
        (32, LastTraining(30, finished=True, attempts=1, learnt=False), False, False),
        (33, LastTraining(30, finished=True, attempts=1, learnt=False), False, True),
        (31, LastTraining(30, finished=True, attempts=1), True, True),
        (30, LastTraining(30, finished=True, attempts=1), True, False),
        (30, LastTraining(30, finished=False, attempts=1), False, True),
        (30, LastTraining(30, finished=False, attempts=5), False, False),
        (45, LastTraining(30, finished=False, attempts=5), False, True),
        (6, LastTraining(4, finished=True, attempts=1), False, False),
    ],
)
def test_it_trains_at_first_and_then_with_half_as_many_again(
    objects: int, last: LastTraining | None, asked: bool, expected: bool
) -> None:
    assert due(objects, last, first=30, asked=asked) is expected
