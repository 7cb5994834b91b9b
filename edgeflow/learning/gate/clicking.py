"""Clicks on some objects of a set: which, and what they take."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from edgeflow.arrays import BoolMask
from edgeflow.data.base import Sample
from edgeflow.evaluate.traces import Rules, click_object
from edgeflow.inference.predictor import Predictor
from edgeflow.learning.gate.bounds import Bounds


@dataclass(frozen=True)
class Clicked:
    """A simulated annotator's clicks on one object.

    Attributes:
        picture: Name of its sample.
        number: Its place among the sample's objects, from 0.
        ious: IoU after each click, 0 to 1; at least one.
    """

    picture: str
    number: int
    ious: tuple[float, ...]

    def iou_at(self, count: int) -> float:
        """IoU after so many clicks; an object that was done earlier stays as it was."""
        return self.ious[min(count, len(self.ious)) - 1]

    def clicks_to(self, target: float, most: int) -> int:
        """Clicks to an IoU; ``most`` if it was never reached."""
        return next((n for n, iou in enumerate(self.ious, 1) if iou >= target), most)

    def cost(self, bounds: Bounds) -> float:
        """Clicks to the targets, the mean over them."""
        counts = [self.clicks_to(target, bounds.max_clicks) for target in bounds.targets]
        return sum(counts) / len(counts)


def choose(samples: Iterable[Sample], most: int) -> tuple[Sample, ...]:
    """Some objects of a set, from as many pictures as there are.

    Which they are follows from names and masks alone: the same set gives the same objects in any
    order, and one that grows keeps most of those that it had.

    Args:
        samples: Pictures with their objects; those without a pixel that counts are left out.
        most: Objects at most.

    Returns:
        The pictures of the chosen objects, by name, with these alone.
    """
    drawn: list[tuple[int, bytes, int]] = []
    pictures = sorted(samples, key=lambda sample: sample.name)
    for place, sample in enumerate(pictures):
        ranks = sorted(
            (_rank(sample.name, mask), number)
            for number, mask in enumerate(sample.objects)
            if _counting(mask, sample.ignore).any()
        )
        drawn += [(turn, rank, place) for turn, (rank, _) in enumerate(ranks)]
    chosen = {(place, rank) for _, rank, place in sorted(drawn)[:most]}
    return tuple(
        Sample(sample.name, sample.rgb, masks, sample.ignore)
        for place, sample in enumerate(pictures)
        if (masks := tuple(m for m in sample.objects if (place, _rank(sample.name, m)) in chosen))
    )


def click(
    predictor: Predictor,
    samples: Sequence[Sample],
    bounds: Bounds,
    *,
    say: Callable[[str], None] = lambda _text: None,
) -> tuple[Clicked, ...]:
    """Click all objects of a set, as the benchmarks do: RITM's annotator, no clean-up.

    Args:
        predictor: What is clicked with.
        samples: Pictures with objects, each with a pixel that counts.
        bounds: Says when an object is done, and when given up.
        say: Told how far it is.
    """
    rules = Rules(max_clicks=bounds.max_clicks, stop_at=max(bounds.targets))
    clicked: list[Clicked] = []
    for done, sample in enumerate(samples, start=1):
        image = predictor.encode(sample.rgb)
        for number, truth in enumerate(sample.objects):
            trace = click_object(predictor, image, truth, sample.ignore, rules)
            clicked.append(Clicked(sample.name, number, trace.ious))
        say(f"{predictor.version}: {done} of {len(samples)} pictures clicked")
    return tuple(clicked)


def _counting(mask: BoolMask, ignore: BoolMask | None) -> BoolMask:
    return mask if ignore is None else mask & ~ignore


def _rank(name: str, mask: BoolMask) -> bytes:
    digest = hashlib.sha256(f"gate|{name}|{mask.shape}|".encode())
    digest.update(np.packbits(mask).tobytes())
    return digest.digest()[:16]
