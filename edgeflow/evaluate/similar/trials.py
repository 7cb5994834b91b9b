"""One example, and what is suggested for it: tried on the images of a dataset."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from edgeflow.arrays import BoolMask
from edgeflow.data.base import Dataset, Sample
from edgeflow.data.left_out import LeftOut
from edgeflow.evaluate.clicker import Clicker
from edgeflow.evaluate.similar.choosing import Choice, Kind, chosen
from edgeflow.evaluate.similar.cost import Clicked, Cost, cost
from edgeflow.evaluate.similar.hand import Hand
from edgeflow.evaluate.similar.matching import Matching, match, seen
from edgeflow.geometry import Size
from edgeflow.inference.predictor import Predictor
from edgeflow.inference.state import EncodedImage
from edgeflow.masks.patch import MaskPatch
from edgeflow.similar.found import Found, SimilarOptions
from edgeflow.similar.numbered import number_map

ExampleMask = Literal["click", "truth"]
"""What the search is given: the mask of one click, as in the editor, or the annotated one."""


NOTHING = Found((), steps=0, seconds=0.0, complete=True)
"""What a search that has no example answers."""


class Finder(Protocol):
    """Finds what looks like an example; :class:`edgeflow.similar.finder.SimilarFinder` does."""

    def find(
        self, image: EncodedImage, examples: Sequence[MaskPatch], *, options: SimilarOptions
    ) -> Found:
        """See :meth:`edgeflow.similar.finder.SimilarFinder.find`."""
        ...


@dataclass(frozen=True)
class Conditions:
    """What holds for all trials.

    Attributes:
        choice: Which images and examples.
        options: How far each search goes.
        example: What each search is given.
        max_clicks: Clicks at which an object is given up; 0 if none is clicked, and nothing can be
            said about cost.
    """

    choice: Choice
    options: SimilarOptions
    example: ExampleMask = "click"
    max_clicks: int = 5


@dataclass(frozen=True)
class Trial:
    """One example in one image.

    Attributes:
        sample: Name of the image.
        label: Class name of the kind; None if it has none.
        example: Number of the example in the image, from 1.
        others: Numbers of the other objects of the kind.
        example_iou: IoU of what the search was given with the example as annotated; 0 where the
            click found no object, and then nothing was searched.
        matching: Suggestions, best first, and other objects. Suggestions that lie where the
            annotation does not say what is there are left out.
        steps: Network steps of the search.
        seconds: Time of the search, from the example's mask to the answer.
        complete: Whether neither time nor a limit cut it short.
        size: Of the image.
        packed: What the search was given and its suggestions, compressed; see :attr:`numbers`.
        example_clicked: Clicks on the example; None if objects were not clicked.
        others_clicked: Clicks on each of the others; empty if objects were not clicked.
        others_corrected: Clicks on the suggestion for each of the others; none for one that is good
            enough or has no suggestion; empty if objects were not clicked.
    """

    sample: str
    label: str | None
    example: int
    others: tuple[int, ...]
    example_iou: float
    matching: Matching
    steps: int
    seconds: float
    complete: bool
    size: Size
    packed: bytes
    example_clicked: Clicked | None = None
    others_clicked: tuple[Clicked, ...] = ()
    others_corrected: tuple[Clicked, ...] = ()

    @property
    def numbers(self) -> npt.NDArray[np.uint16]:
        """H×W: 1 what the search was given, 2, 3, … the suggestions, 0 the rest."""
        values = np.frombuffer(zlib.decompress(self.packed), dtype=np.uint16)
        return values.reshape(self.size)

    def cost(self, *, corrected: bool) -> Cost:
        """An annotator's.

        Args:
            corrected: Whether suggestions are refined until they are as good as clicked masks.

        Raises:
            ValueError: Objects were not clicked.
        """
        if self.example_clicked is None:
            raise ValueError(f"{self.sample}: objects were not clicked")
        return cost(
            self.matching,
            example=self.example_clicked,
            others=self.others_clicked,
            corrected=self.others_corrected if corrected else None,
            search_seconds=self.seconds,
        )


def try_dataset(
    predictor: Predictor,
    finder: Finder,
    dataset: Dataset,
    conditions: Conditions,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
    tell: Callable[[tuple[LeftOut, ...]], None] = lambda _left_out: None,
) -> Iterator[Trial]:
    """Try the chosen examples of a dataset, one at a time.

    Args:
        predictor: Makes the example's mask and clicks objects.
        finder: Searches.
        dataset: Dataset.
        conditions: What holds for all.
        progress: Called after each image with images done and images in all.
        tell: Called for each image that is tried with what is not among its objects.

    Raises:
        DatasetError: A sample cannot be read.
    """
    for done, sample, kinds in chosen(dataset, conditions.choice):
        if sample is not None:
            tell(sample.left_out)
            image = predictor.encode(sample.rgb)
            for kind in kinds:
                yield from _try_kind(predictor, finder, image, sample, kind, conditions)
        progress(done, len(dataset))


def _try_kind(
    predictor: Predictor,
    finder: Finder,
    image: EncodedImage,
    sample: Sample,
    kind: Kind,
    conditions: Conditions,
) -> Iterator[Trial]:
    objects = {number: _visible(sample, number) for number in kind.numbers}
    hand = Hand(predictor, image, sample.ignore, conditions.max_clicks)
    clicked: dict[int, Clicked] = {}
    if hand.max_clicks and len(objects) > 1:
        clicked = {number: hand.click(truth) for number, truth in objects.items()}
    for example in kind.examples:
        others = tuple(number for number in kind.numbers if number != example)
        if conditions.example == "truth":
            mask = MaskPatch.of(objects[example])
        else:
            mask = hand.click_once(objects[example])
        found = NOTHING if mask.empty else finder.find(image, [mask], options=conditions.options)
        suggestions = seen([each.mask for each in found.candidates], sample.ignore)
        matching = match(suggestions, [MaskPatch.of(objects[number]) for number in others])
        corrected = []
        if clicked:
            corrected = [
                hand.correct(objects[number], None if place is None else suggestions[place])
                for number, place in zip(others, matching.partners, strict=True)
            ]
        numbers = number_map([mask, *suggestions], image.size)
        yield Trial(
            sample=sample.name,
            label=kind.label,
            example=example,
            others=others,
            example_iou=Clicker(objects[example], sample.ignore).iou(mask.whole()),
            matching=matching,
            steps=found.steps,
            seconds=found.seconds,
            complete=found.complete,
            size=image.size,
            packed=zlib.compress(numbers.astype(np.uint16).tobytes(), 1),
            example_clicked=clicked.get(example),
            others_clicked=tuple(clicked[number] for number in others if clicked),
            others_corrected=tuple(corrected),
        )


def _visible(sample: Sample, number: int) -> BoolMask:
    """An object without what the annotation ignores."""
    mask = sample.objects[number - 1]
    return mask if sample.ignore is None else mask & ~sample.ignore
