from __future__ import annotations

from edgeflow.evaluate.similar.cost import Clicked, Cost, Work, cost
from edgeflow.evaluate.similar.matching import Matching

FOUND = Matching(suggestions=(0.9, 0.6, 0.2), objects=(0.9, 0.6, 0.2, 0), partners=(0, 1, 2, None))
"""Three suggestions, two of them right; of four other objects two are left to click."""


def clicks(*counts: int) -> list[Clicked]:
    return [Clicked(count) for count in counts]


def test_each_action_is_counted_once() -> None:
    actions = cost(FOUND, example=Clicked(2), others=clicks(1, 2, 3, 4))
    assert actions.suggested.actions == 1 + 1 + 1 + 3 + 4
    assert actions.clicked.actions == 2 + 1 + 2 + 3 + 4


def test_masks_may_be_corrected_until_they_are_as_good_as_clicked_ones() -> None:
    actions = cost(
        FOUND, example=Clicked(2), others=clicks(1, 2, 3, 4), corrected=clicks(0, 1, 9, 9)
    )
    assert actions.suggested.actions == 2 + 1 + 1 + 1 + 3 + 4


def test_without_suggestions_there_is_nothing_to_accept() -> None:
    actions = cost(Matching((), (0, 0), (None, None)), example=Clicked(1), others=clicks(2, 2))
    assert actions.suggested.actions == actions.clicked.actions == 5


def test_waiting_is_for_the_search_and_for_the_clicks_that_are_left() -> None:
    found = cost(
        Matching((0.9,), (0.9, 0), (0, None)),
        example=Clicked(2, 0.5),
        others=[Clicked(2, 0.25), Clicked(3, 0.25)],
        search_seconds=2,
    )
    assert found == Cost(suggested=Work(5, 2.5), clicked=Work(7, 1.0))
    assert found.suggested.seconds(1.5) == 10.0
