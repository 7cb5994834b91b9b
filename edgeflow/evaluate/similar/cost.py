"""What an annotator does with suggestions, against clicking each object."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edgeflow.evaluate.similar.matching import Matching

ACCEPT = 1
"""Actions: the ✓ that takes all suggestions."""

REMOVE = 1
"""Actions for each wrong suggestion."""


@dataclass(frozen=True)
class Cost:
    """Actions for all objects of a kind in one picture.

    Attributes:
        suggested: With suggestions: the example, the ✓, each wrong suggestion's removal, and the
            clicks on each object that has none.
        clicked: The clicks on each object.
    """

    suggested: int
    clicked: int


def cost(matching: Matching, least: float, example_clicks: int, clicks: Sequence[int]) -> Cost:
    """Count the actions.

    Accepting what was clicked takes the same ✓ for each object, and is left out: that speaks for
    clicking. Without any suggestion there is nothing to accept.

    Args:
        matching: Of suggestions and the other objects.
        least: IoU from which on a suggestion is left as it is; one below it is removed and its
            object clicked.
        example_clicks: Clicks on the example.
        clicks: Clicks on each other object, in the matching's order.
    """
    counts = matching.counts(least)
    missed = sum(clicks[place] for place in matching.missed(least))
    accept = ACCEPT if counts.suggested else 0
    return Cost(
        suggested=example_clicks + accept + REMOVE * counts.wrong + missed,
        clicked=example_clicks + sum(clicks),
    )
