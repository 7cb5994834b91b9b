from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from edgeflow.learning.accepted import PercentClick, Start
from edgeflow.learning.effort import EVERYTHING, LABELS, OTHERS, POINTS, Cost, cost, effort
from tests.unit.edgeflow.learning.learning_samples import origin

START = datetime(2026, 11, 28, 9, tzinfo=timezone.utc)
CLICK = PercentClick(1.0, 2.0, positive=True)


def costs(label: str, *prompts: int, first: int = 0) -> list[Cost]:
    return [
        Cost(START + timedelta(minutes=first + place), label, each)
        for place, each in enumerate(prompts)
    ]


def test_without_an_object_there_is_nothing_to_tell() -> None:
    assert effort([]) == ()


def test_points_are_means_of_objects_in_the_order_of_time() -> None:
    (only,) = effort(reversed(costs("cell", *[4] * 5, *[3] * 5, *[1, 1, 1, 1, 2])))
    assert (only.label, only.objects, only.prompts) == ("cell", 15, 41)
    assert only.mean == pytest.approx(41 / 15)
    assert [(point.objects, point.mean) for point in only.points] == [(5, 4), (10, 3), (15, 1.2)]
    assert only.points[-1].at == START + timedelta(minutes=14)
    assert only.newest == 1.2


def test_a_few_objects_are_one_point_and_many_are_no_more_than_so_many() -> None:
    (few,) = effort(costs("cell", 1, 2, 6))
    assert [(point.objects, point.mean) for point in few.points] == [(3, 3)]
    (many,) = effort(costs("cell", *[2] * 1003))
    assert len(many.points) == POINTS
    assert many.points[-1].objects == 1003


def test_labels_are_told_apart_the_most_frequent_first_and_rare_ones_together() -> None:
    given = [
        each
        for number in range(LABELS + 3)
        for each in costs(f"label {number}", *[1] * (20 - number), first=100 * number)
    ]
    told = effort(given)
    assert [each.label for each in told] == [
        EVERYTHING, *(f"label {number}" for number in range(LABELS)), OTHERS,
    ]  # fmt: skip
    assert told[0].objects == len(given) == sum(each.objects for each in told[1:])
    assert told[-1].objects == 12 + 11 + 10


@pytest.mark.parametrize(
    ("start", "clicks", "prompts"),
    [("clicks", 3, 3), ("outline", 0, 1), ("outline", 2, 3), ("mask", 1, None), ("hand", 0, None)],
)
def test_an_object_took_what_its_record_says(
    start: Start, clicks: int, prompts: int | None
) -> None:
    found = cost(origin(), "cell", start, [CLICK] * clicks)
    assert (found and found.prompts) == prompts


def test_a_time_that_is_none_costs_nothing_but_its_object() -> None:
    assert cost(origin(created_at=""), "cell", "clicks", [CLICK]) is None
    known = cost(origin(created_at="2026-11-28T09:00:00"), "cell", "clicks", [CLICK])
    assert known == Cost(START, "cell", 1)
