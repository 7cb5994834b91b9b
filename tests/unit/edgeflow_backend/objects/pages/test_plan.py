from __future__ import annotations

import pytest

from edgeflow_backend.objects.pages.plan import Known, Stretch, stretch_from


@pytest.mark.parametrize(
    ("here", "step", "known", "expected"),
    [
        (3, 1, Known(10), Stretch(3, 1, 6)),
        (3, -1, Known(10), Stretch(3, -1, 3)),
        (0, -1, Known(10), Stretch(0, -1, 0)),
        (3, 1, Known(10, stored={4, 5, 8}), Stretch(5, 1, 2)),
        (3, 1, Known(10, closed={6}), Stretch(3, 1, 2)),
        (0, 1, Known(10, prompted={5}), Stretch(0, 1, 4)),
        (0, 1, Known(10, prompted={5}, waiting=range(10)), Stretch(0, 1, 2)),
        (5, -1, Known(10, prompted={0}, waiting=range(10)), Stretch(5, -1, 2)),
        (0, 1, Known(10, prompted={4}, waiting=range(10)), Stretch(0, 1, 2)),
        (4, -1, Known(10, prompted={0}, waiting=range(10)), Stretch(4, -1, 1)),
        (4, 1, Known(10, prompted={0}, waiting=range(10)), Stretch(4, 1, 5)),
    ],
)
def test_how_far_an_object_is_carried(
    here: int, step: int, known: Known, expected: Stretch
) -> None:
    assert stretch_from(here, step, known) == expected


def test_what_lies_on_the_way() -> None:
    assert [page for page in range(9) if Stretch(4, -1, 2).covers(page)] == [2, 3]
