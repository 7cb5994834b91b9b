"""What an annotator does with suggestions, against clicking each object."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edgeflow.evaluate.similar.matching import Matching

KEPT = 0.5
"""IoU from which on an annotator takes a suggestion for its object, and does not remove it."""

EXAMPLE = 1
"""Actions: the click on it."""

ACCEPT = 1
"""Actions: the ✓ that takes all suggestions."""

REMOVE = 1
"""Actions for each wrong suggestion."""


@dataclass(frozen=True)
class Clicked:
    """What it takes to click an object until it is good.

    Attributes:
        clicks: Their number; the most allowed for an object that never is.
        seconds: From each of these clicks to its mask, together.
    """

    clicks: int
    seconds: float = 0.0


@dataclass(frozen=True)
class Work:
    """What people do, and what they wait for.

    Attributes:
        actions: Clicks and keys.
        waiting: Seconds from an action to its masks, together.
    """

    actions: int
    waiting: float

    def seconds(self, action_seconds: float) -> float:
        """Time in all, if each action takes so long."""
        return self.actions * action_seconds + self.waiting


@dataclass(frozen=True)
class Cost:
    """All objects of a kind in one image, in two ways.

    Attributes:
        suggested: With suggestions: the clicks on the example, the ✓, each wrong suggestion's
            removal, and the clicks on each object that has none.
        clicked: The clicks on each object.
    """

    suggested: Work
    clicked: Work


def cost(
    matching: Matching,
    *,
    example: Clicked,
    others: Sequence[Clicked],
    corrected: Sequence[Clicked] | None = None,
    search_seconds: float = 0.0,
) -> Cost:
    """Count actions and waiting.

    Accepting what was clicked takes the same ✓ for each object, and is left out: that speaks for
    clicking. Without any suggestion there is nothing to accept.

    Args:
        matching: Of suggestions and the other objects; a pair counts from an IoU of :data:`KEPT`.
        example: Clicks on the example.
        others: Clicks on each other object, in the matching's order.
        corrected: Clicks that make the suggestion of each other object as good; None if suggestions
            and the example's mask, one click, are left as they are.
        search_seconds: Time of the search.
    """
    counts, missed = matching.counts(KEPT), matching.missed(KEPT)
    by_hand = [others[place] for place in missed]
    if corrected is None:
        by_hand.append(Clicked(EXAMPLE, example.seconds / max(example.clicks, 1)))
    else:
        by_hand.append(example)
        by_hand += [each for place, each in enumerate(corrected) if place not in missed]
    clicks = _all_of(by_hand)
    accept = ACCEPT if counts.suggested else 0
    return Cost(
        suggested=Work(
            clicks.actions + accept + REMOVE * counts.wrong, clicks.waiting + search_seconds
        ),
        clicked=_all_of([example, *others]),
    )


def _all_of(objects: Sequence[Clicked]) -> Work:
    return Work(sum(each.clicks for each in objects), sum(each.seconds for each in objects))
