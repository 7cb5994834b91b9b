"""What two networks take for the same objects, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Literal

import numpy as np

from edgeflow.data.base import set_of
from edgeflow.learning.gate.bounds import Bounds
from edgeflow.learning.gate.clicking import Clicked
from edgeflow.learning.gate.paired import sign_flip_test

Unit = Literal["pictures", "objects"]

PICTURES = 6
"""From so many pictures on, they are what the test pairs: objects of one picture are alike."""


@dataclass(frozen=True)
class Figures:
    """What one network takes.

    Attributes:
        clicks: Target IoU in percent → mean clicks to it.
        curve: Mean IoU after 1, 2, … clicks.
    """

    clicks: Mapping[int, float]
    curve: tuple[float, ...]

    @property
    def cost(self) -> float:
        """Mean clicks, over objects and targets."""
        return sum(self.clicks.values()) / len(self.clicks)


@dataclass(frozen=True)
class Comparison:
    """Two networks on the same objects.

    Attributes:
        objects: How many.
        pictures: How many pictures they are of.
        before: What the one takes.
        after: What the other takes.
        unit: What the test pairs.
        p: How likely so much is saved if neither were better, 0 to 1.
        risen: The set of pictures (see :func:`.set_of`) whose clicks rise most, and by which share
            of what they took before: of objects that take more; others that take less make up
            for nothing.
        worst_clicks: The picture whose clicks rise most, and by how many an object.
        worst_iou: The picture whose IoU falls most after :attr:`.Bounds.after` clicks, and by how
            much.
    """

    objects: int
    pictures: int
    before: Figures
    after: Figures
    unit: Unit
    p: float
    risen: tuple[str, float]
    worst_clicks: tuple[str, float]
    worst_iou: tuple[str, float]

    @property
    def saved(self) -> float:
        """Share of the clicks that the other one saves; negative where it takes more."""
        return 1 - self.after.cost / self.before.cost

    def to_json(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "objects": self.objects,
            "pictures": self.pictures,
            "before": _to_json(self.before),
            "after": _to_json(self.after),
            "saved": self.saved,
            "unit": self.unit,
            "p": self.p,
            "risen": list(self.risen),
            "worst_clicks": list(self.worst_clicks),
            "worst_iou": list(self.worst_iou),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Comparison:
        """What :meth:`to_json` made.

        Raises:
            KeyError, TypeError, ValueError: It made something else.
        """
        if data["unit"] not in ("pictures", "objects"):
            raise ValueError(f"unit {data['unit']!r}")
        pairs = [data[name] for name in ("risen", "worst_clicks", "worst_iou")]
        risen, clicks, iou = ((str(name), float(value)) for name, value in pairs)
        return cls(
            int(data["objects"]),
            int(data["pictures"]),
            _from_json(data["before"]),
            _from_json(data["after"]),
            data["unit"],
            float(data["p"]),
            risen,
            clicks,
            iou,
        )


def compare(before: Sequence[Clicked], after: Sequence[Clicked], bounds: Bounds) -> Comparison:
    """Compare two networks.

    The test pairs pictures, whose objects are alike; where there are fewer than
    :data:`PICTURES`, which no test could tell apart from chance, it pairs objects.

    Args:
        before: Clicks with the one.
        after: Clicks with the other, on the same objects in the same order; at least one.
        bounds: Says how clicks are counted.

    Raises:
        ValueError: They are not the same objects, or there are none.
    """
    places = [(each.picture, each.number) for each in before]
    if not places or places != [(each.picture, each.number) for each in after]:
        raise ValueError("clicks on other objects")
    saved: dict[str, list[float]] = {}
    took: dict[str, float] = {}
    rises: dict[str, float] = {}
    fallen: dict[str, list[float]] = {}
    for one, other in zip(before, after, strict=True):
        cost, rise = one.cost(bounds), other.cost(bounds) - one.cost(bounds)
        took[set_of(one.picture)] = took.get(set_of(one.picture), 0.0) + cost
        rises[set_of(one.picture)] = rises.get(set_of(one.picture), 0.0) + max(rise, 0.0)
        saved.setdefault(one.picture, []).append(-rise)
        fallen.setdefault(one.picture, []).append(
            one.iou_at(bounds.after) - other.iou_at(bounds.after)
        )
    unit: Unit = "pictures" if len(saved) >= PICTURES else "objects"
    pairs = [sum(each) for each in saved.values()]
    if unit == "objects":
        pairs = [each for several in saved.values() for each in several]
    clicks, picture = max((-float(np.mean(each)), name) for name, each in saved.items())
    iou, other_picture = max((float(np.mean(each)), name) for name, each in fallen.items())
    return Comparison(
        objects=len(places),
        pictures=len(saved),
        before=_figures(before, bounds),
        after=_figures(after, bounds),
        unit=unit,
        p=sign_flip_test(pairs),
        risen=max(((name, rises[name] / took[name]) for name in took), key=itemgetter(1)),
        worst_clicks=(picture, clicks),
        worst_iou=(other_picture, iou),
    )


def _figures(clicked: Sequence[Clicked], bounds: Bounds) -> Figures:
    counts = range(1, bounds.max_clicks + 1)
    return Figures(
        {
            round(100 * target): float(
                np.mean([each.clicks_to(target, bounds.max_clicks) for each in clicked])
            )
            for target in bounds.targets
        },
        tuple(float(np.mean([each.iou_at(count) for each in clicked])) for count in counts),
    )


def _to_json(figures: Figures) -> dict[str, Any]:
    return {
        "clicks": {str(target): mean for target, mean in figures.clicks.items()},
        "curve": list(figures.curve),
    }


def _from_json(data: Mapping[str, Any]) -> Figures:
    return Figures(
        {int(target): float(mean) for target, mean in data["clicks"].items()},
        tuple(float(iou) for iou in data["curve"]),
    )
