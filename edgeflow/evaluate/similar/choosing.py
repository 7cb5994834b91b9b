"""Which images and which examples are tried: always the same ones of a dataset."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from edgeflow.data.base import Dataset, Sample, set_of
from edgeflow.evaluate.chance import chance

TYPICAL_AREA = (0.5, 2.5)
"""Least and greatest area of a typical object, over the median of its kind."""


@dataclass(frozen=True)
class Choice:
    """What is tried.

    Attributes:
        least_objects: Objects of a kind that an image needs.
        examples: Objects of each kind that are examples, one at a time.
        max_images: Most such images of each set; None for all.
        max_alone: Most images of each set that show one object alone.
        typical: Whether examples are such as people choose: whole in the image, and neither small
            nor large among their kind. Where there is none, any object is one.
    """

    least_objects: int = 5
    examples: int = 3
    max_images: int | None = None
    max_alone: int = 50
    typical: bool = True


@dataclass(frozen=True)
class Kind:
    """Objects of an image that an annotator would call the same.

    Attributes:
        label: Their class name; None for objects without one, which are then of one kind.
        numbers: Their numbers in the image, from 1.
        examples: The numbers of those that are examples, in the order in which they are tried.
    """

    label: str | None
    numbers: tuple[int, ...]
    examples: tuple[int, ...]


def chosen(dataset: Dataset, choice: Choice) -> Iterator[tuple[int, Sample | None, list[Kind]]]:
    """Go through a dataset in an order that chance has fixed.

    Yields:
        How many images were looked at; the image, or None for one that is not tried; its kinds.

    Raises:
        DatasetError: A sample cannot be read.
    """
    names = dataset.sample_names
    order = sorted(range(len(dataset)), key=lambda index: _rank(names[index]))
    several, alone = Counter[str](), Counter[str]()
    most = len(dataset) if choice.max_images is None else choice.max_images
    for done, index in enumerate(order, start=1):
        group = set_of(names[index])
        if several[group] >= most and alone[group] >= choice.max_alone:
            yield done, None, []
            continue
        sample = dataset[index]
        kinds = kinds_of(sample, choice)
        tried = alone if [len(kind.numbers) for kind in kinds] == [1] else several
        if kinds and tried[group] < (choice.max_alone if tried is alone else most):
            tried[group] += 1
            yield done, sample, kinds
        else:
            yield done, None, []


def kinds_of(sample: Sample, choice: Choice) -> list[Kind]:
    """The kinds to try in an image: those with enough objects, or its only object.

    Objects without a pixel that counts are passed over.
    """
    numbers: dict[str | None, list[int]] = {}
    for number, (label, mask) in enumerate(
        zip(sample.labels, sample.objects, strict=True), start=1
    ):
        if sample.ignore is None or bool((mask & ~sample.ignore).any()):
            numbers.setdefault(label, []).append(number)
    if sum(map(len, numbers.values())) == 1:
        ((label, (number,)),) = numbers.items()
        return [Kind(label, (number,), (number,))]
    kinds = []
    for label, members in numbers.items():
        if len(members) >= choice.least_objects:
            rng = chance("similar", sample.name, label or "")
            fitting = _typical(sample, members) if choice.typical else members
            drawn = rng.permutation(np.array(fitting))[: choice.examples].tolist()
            kinds.append(Kind(label, tuple(members), tuple(drawn)))
    return kinds


def _typical(sample: Sample, numbers: list[int]) -> list[int]:
    """Those of a kind's objects that people would choose as an example; all if there are none."""
    masks = {number: sample.objects[number - 1] for number in numbers}
    areas = {number: int(np.count_nonzero(mask)) for number, mask in masks.items()}
    least, most = (share * float(np.median(list(areas.values()))) for share in TYPICAL_AREA)
    fitting = [
        number
        for number, mask in masks.items()
        if least <= areas[number] <= most and np.count_nonzero(mask[1:-1, 1:-1]) == areas[number]
    ]
    return fitting or numbers


def _rank(name: str) -> float:
    return float(chance("similar images", name).random())
