"""The search itself: places, a network step at each, and a choice among the answers."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from edgeflow.arrays import BoolMask
from edgeflow.geometry import ImagePoint
from edgeflow.inference.runs import Steps
from edgeflow.inference.sampling import Sampling
from edgeflow.inference.state import EncodedImage
from edgeflow.masks.patch import MaskPatch
from edgeflow.prompts.click import Click
from edgeflow.similar.descriptor import Descriptor, describe
from edgeflow.similar.features import ImageFeatures
from edgeflow.similar.found import Candidate, Found, SimilarOptions
from edgeflow.similar.likeness import Likeness, nearest
from edgeflow.similar.places import Place, places
from edgeflow.similar.window import (
    Segmented,
    segmented,
    step_input,
    window_around,
)

SURE = 0.75
"""Score from which on what was found is an example of the second round."""

MOST_SURE = 12
"""Most examples of the second round."""

SCALES = (0.6, 1.6)
"""Sizes of objects that are looked for where none of the example's size was found, in its size."""

MISSES = 10
"""Places in turn without a find after which the weaker ones are left alone."""

PROMISING = 0.7
"""Response from which on a place is looked at again for objects of other sizes."""

FARTHER = 1.6
"""Size of the window of a second look, in the first one's."""

APART = 0.35
"""Least distance of a place from one that was looked at, in the example's longer side."""


@dataclass(frozen=True)
class Look:
    """The network's answer at a place."""

    place: Place
    answer: Segmented
    own: Descriptor


@dataclass
class Search:
    """One search, while it lasts.

    Attributes:
        image: On the device.
        features: The image's.
        examples: Objects of the kind.
        unlike: Objects that are not meant.
        taken: Masks that no candidate may lie on.
        options: How far to go.
        sampling: How windows are resized.
        looks: The network's answers so far, but for empty and cut ones.
        tried: Where it was asked, and for which size of objects, in the example's.
        steps: Network steps so far.
        complete: Whether neither time nor the number of steps has ended the search.
        began: When, on the monotonic clock.
    """

    image: EncodedImage
    features: ImageFeatures
    examples: Sequence[Descriptor]
    unlike: Sequence[Descriptor]
    taken: Sequence[MaskPatch]
    options: SimilarOptions
    sampling: Sampling
    looks: list[Look] = field(default_factory=list)
    tried: list[tuple[ImagePoint, float]] = field(default_factory=list)
    steps: int = 0
    complete: bool = True
    began: float = field(default_factory=time.monotonic)

    def run(self) -> Steps[Found]:
        """Look at places like the examples, then at places like what was surely found.

        Places that gave nothing are looked at again for smaller and for larger objects.
        """
        yield from self._look_at(self._places())
        sure = [
            look.own for look, measured in self._chosen(self.examples) if measured.score >= SURE
        ][:MOST_SURE]
        if sure:
            self.examples = (*self.examples, *sure)
            yield from self._look_at(self._places())
        promising = [place for place in self._places() if place.response >= PROMISING]
        for scale in SCALES:
            yield from self._look_at(promising, scale)
        chosen = self._chosen(self.examples)
        limit = self.options.limit
        candidates = tuple(
            Candidate(
                Click(look.place.point),
                look.answer.mask,
                measured.score,
                min(max(measured.inside, 0.0), 1.0),
            )
            for look, measured in chosen[:limit]
        )
        return Found(
            candidates,
            self.steps,
            time.monotonic() - self.began,
            self.complete and len(chosen) <= limit,
        )

    def _places(self) -> list[Place]:
        return places(self.features, self.examples, self.unlike)

    def _look_at(self, wanted: Sequence[Place], scale: float = 1.0) -> Steps[None]:
        found = [look.answer.mask for look, _ in self._chosen(self.examples)]
        covered = self._union((*self.taken, *found))
        finds, misses = len(found), 0
        for place in wanted:
            x, y = round(place.point.x), round(place.point.y)
            if covered[y, x] or self._near_a_look(place, scale):
                continue
            if misses >= MISSES:
                return
            if self._spent(finds):
                self.complete = False
                return
            self.tried.append((place.point, scale))
            misses += 1
            look = yield from self._look_whole(place._replace(length=scale * place.length))
            if look is not None:
                finds, misses = finds + 1, 0
                mask = look.answer.mask
                covered[mask.box.slices] |= mask.pixels

    def _spent(self, finds: int) -> bool:
        options = self.options
        return (
            finds >= options.limit
            or self.steps >= options.most_steps
            or time.monotonic() - self.began > options.seconds
        )

    def _look_whole(self, place: Place) -> Steps[Look | None]:
        """Look at a place, and again from farther off if the window cuts what is found.

        Returns:
            What is good enough for a candidate. All but what is cut twice is remembered.
        """
        look = yield from self._look(place)
        if look is not None and look.answer.cut and self._good(look):
            look = yield from self._look(place._replace(length=FARTHER * place.length))
            if look is not None and look.answer.cut:
                return None
        if look is None:
            return None
        self.looks.append(look)
        return look if self._good(look) else None

    def _look(self, place: Place) -> Steps[Look | None]:
        size = self.image.size
        window = window_around(place.point, place.length, size)
        output = yield step_input(self.image, window, place.point, self.sampling)
        self.steps += 1
        probability = output.mask[0, 0].cpu().numpy()
        answer = segmented(probability, window, place.point, size, self.sampling)
        if answer.mask.empty:
            return None
        return Look(place, answer, describe(self.features, answer.mask))

    def _good(self, look: Look) -> bool:
        return self._measured(look, self.examples).score >= self.options.least_score

    def _near_a_look(self, place: Place, scale: float) -> bool:
        reach = APART * place.length * min(scale, 1)
        return any(
            max(abs(place.point.x - x), abs(place.point.y - y)) < reach
            for (x, y), other in self.tried
            if other == scale
        )

    def _union(self, masks: Sequence[MaskPatch]) -> BoolMask:
        """Where one of the masks is: H×W."""
        union = np.zeros(tuple(self.image.size), dtype=np.bool_)
        for mask in masks:
            union[mask.box.slices] |= mask.pixels
        return union

    def _measured(self, look: Look, examples: Sequence[Descriptor]) -> Likeness:
        others = [example for example in examples if example is not look.own]
        return nearest(look.own, look.answer.certainty, look.answer.firmness, others)

    def _chosen(self, examples: Sequence[Descriptor]) -> list[tuple[Look, Likeness]]:
        """What is good enough, best first, none on another."""
        measured = [(look, self._measured(look, examples)) for look in self.looks]
        measured.sort(key=lambda each: -each[1].score)
        chosen: list[tuple[Look, Likeness]] = []
        for look, likeness in measured:
            if likeness.score < self.options.least_score:
                break
            if self.unlike:
                against = self._measured(look, self.unlike)
                if against.inside > likeness.inside:
                    continue
            others = (*self.taken, *(each.answer.mask for each, _ in chosen))
            if not any(
                shared(look.answer.mask, other) > self.options.most_overlap for other in others
            ):
                chosen.append((look, likeness))
        return chosen


def shared(one: MaskPatch, other: MaskPatch) -> float:
    """The common part of two masks of an image over the smaller one, 0 to 1."""
    box = one.box.intersection(other.box)
    if not box.area:
        return 0.0
    parts = (
        mask.pixels[box.shifted(-mask.box.top, -mask.box.left).slices] for mask in (one, other)
    )
    common = np.count_nonzero(np.logical_and(*parts))
    return common / min(np.count_nonzero(one.pixels), np.count_nonzero(other.pixels))
