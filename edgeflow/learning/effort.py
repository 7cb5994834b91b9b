"""How many clicks an accepted object takes, over time and by label."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
from itertools import pairwise
from typing import NamedTuple

from edgeflow.learning.accepted import Origin, PercentClick, Start

POINTS = 20
"""Most points of a curve."""

LEAST = 5
"""Objects that a point is a mean of, at least, where there are so many."""

LABELS = 8
"""Labels that are told apart; the rarer ones are taken together."""

OTHERS = "other labels"
EVERYTHING = "all labels"


class Cost(NamedTuple):
    """What an accepted object took.

    Attributes:
        at: When it was submitted first.
        label: What it is labelled as.
        prompts: Clicks, and the box or lasso that it began with.
    """

    at: datetime
    label: str
    prompts: int


class Point(NamedTuple):
    """Some objects that were accepted one after the other.

    Attributes:
        objects: How many had been accepted when the last of them was, those included.
        at: When the last of them was.
        mean: Prompts an object.
    """

    objects: int
    at: datetime
    mean: float


class Effort(NamedTuple):
    """What the objects of a label took.

    Attributes:
        label: The label, or :data:`EVERYTHING`, or :data:`OTHERS`.
        objects: How many there are.
        prompts: Of all of them.
        points: In the order of time; none without an object.
    """

    label: str
    objects: int
    prompts: int
    points: tuple[Point, ...]

    @property
    def mean(self) -> float:
        """Prompts an object; 0 without any object."""
        return self.prompts / self.objects if self.objects else 0.0

    @property
    def newest(self) -> float:
        """Prompts an object among the newest, those of the last point; 0 without any object."""
        return self.points[-1].mean if self.points else 0.0


def cost(origin: Origin, label: str, start: Start, clicks: Sequence[PercentClick]) -> Cost | None:
    """What an object took; None where its record does not tell.

    That is so for what was drawn by hand, and for what began as a mask whose making is not
    recorded, such as a suggestion: its clicks are corrections at most.

    Args:
        origin: Where it was accepted.
        label: What it is labelled as.
        start: What it began as.
        clicks: The annotator's clicks.
    """
    if start not in ("clicks", "outline"):
        return None
    try:
        at = datetime.fromisoformat(origin.created_at.replace("Z", "+00:00"))
    except ValueError:
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=timezone.utc)
    return Cost(at, label, len(clicks) + (start == "outline"))


def effort(costs: Iterable[Cost], *, labels: int = LABELS) -> tuple[Effort, ...]:
    """Clicks per accepted object.

    Args:
        costs: Of the objects, in any order.
        labels: Most labels that are told apart.

    Returns:
        That of all objects first, then of each label, the most frequent first, then of all other
        labels together; nothing without any object. At most ``labels + 2`` entries.
    """
    ordered = sorted(costs)
    if not ordered:
        return ()
    frequent = Counter(each.label for each in ordered).most_common()
    if len(frequent) == 1:
        return (_effort(frequent[0][0], ordered),)
    shown = [label for label, _ in frequent[:labels]]
    others = [each for each in ordered if each.label not in shown]
    return (
        _effort(EVERYTHING, ordered),
        *(_effort(label, [each for each in ordered if each.label == label]) for label in shown),
        *([_effort(OTHERS, others)] if others else []),
    )


def _effort(label: str, ordered: Sequence[Cost]) -> Effort:
    count = len(ordered)
    groups = max(min(POINTS, count // LEAST), 1)
    ends = [count * number // groups for number in range(groups + 1)]
    points = tuple(
        Point(end, ordered[end - 1].at, _total(ordered[start:end]) / (end - start))
        for start, end in pairwise(ends)
    )
    return Effort(label, count, _total(ordered), points)


def _total(costs: Sequence[Cost]) -> int:
    return sum(each.prompts for each in costs)
