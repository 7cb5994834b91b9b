from __future__ import annotations

from edgeflow.evaluate.similar.cost import Cost, cost
from edgeflow.evaluate.similar.matching import Matching


def test_each_action_is_counted_once() -> None:
    """Three suggestions, two of them right; of four other objects two are left to click."""
    matching = Matching(suggestions=(0.9, 0.6, 0.2), objects=(0.9, 0.6, 0.2, 0))
    assert cost(matching, 0.5, 1, (1, 2, 3, 4)) == Cost(suggested=1 + 1 + 1 + 3 + 4, clicked=11)


def test_a_suggestion_that_is_not_good_enough_costs_its_removal_and_the_clicks() -> None:
    matching = Matching(suggestions=(0.9, 0.6), objects=(0.9, 0.6))
    assert cost(matching, 0.8, 2, (1, 5)) == Cost(suggested=2 + 1 + 1 + 5, clicked=8)


def test_without_suggestions_there_is_nothing_to_accept() -> None:
    assert cost(Matching((), (0, 0)), 0.5, 1, (2, 2)) == Cost(suggested=5, clicked=5)
