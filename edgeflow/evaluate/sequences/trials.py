"""One mask on the first page, and what becomes of it: tried on sequences."""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from edgeflow.arrays import BoolMask
from edgeflow.evaluate.sequences.pages import EncodedPages, quality
from edgeflow.evaluate.sequences.sequence import PageSequence
from edgeflow.evaluate.sequences.stack import Annotator, Stack, annotate_stack
from edgeflow.geometry import Size
from edgeflow.inference.predictor import Predictor
from edgeflow.propagate.options import PropagateOptions
from edgeflow.propagate.propagator import Propagator

FirstMask = Literal["truth", "clicks"]
"""What is carried on: the first page's annotated mask, or one clicked to the target."""


@dataclass(frozen=True)
class Conditions:
    """What holds for all trials.

    Attributes:
        first: What is carried on.
        target: IoU from which on a mask is good.
        max_clicks: Number of clicks at which a page is given up.
        least_score: Score at which carrying ends. Pages beyond are looked at all the same, so that
            the mean IoU of a number of pages is over all sequences.
        stacks: Whether whole stacks are annotated, which takes most of the time.
    """

    first: FirstMask = "truth"
    target: float = 0.8
    max_clicks: int = 20
    least_score: float = PropagateOptions().least_score
    stacks: bool = True


@dataclass(frozen=True)
class CarriedPage:
    """A page behind the first.

    Attributes:
        iou: Of its mask, 0 to 1; with neither mask nor object 1.
        score: Of its mask, 0 to 1; 0 for no mask.
        seconds: From the mask before to this one, without reading files.
        packed: Its mask, compressed; empty for none.
    """

    iou: float
    score: float
    seconds: float
    packed: bytes

    def mask(self, size: Size) -> BoolMask:
        """H×W; size of the page."""
        if not self.packed:
            return np.zeros(tuple(size), dtype=np.bool_)
        bits = np.frombuffer(zlib.decompress(self.packed), dtype=np.uint8)
        count = size.height * size.width
        return np.unpackbits(bits, count=count).reshape(size).astype(np.bool_)


@dataclass(frozen=True)
class SequenceTrial:
    """One object in one sequence.

    Attributes:
        sequence: Its name.
        first_iou: IoU of the mask that was carried on.
        first_clicks: Clicks that it took; 0 for the annotated one.
        pages: The pages behind the first, in order.
        stack: What the whole stack takes; None if that was not tried.
    """

    sequence: str
    first_iou: float
    first_clicks: int
    pages: tuple[CarriedPage, ...]
    stack: Stack | None

    def mean_iou(self, count: int) -> float | None:
        """IoU on the page so many pages behind the first; None if there are fewer."""
        return self.pages[count - 1].iou if count <= len(self.pages) else None

    def answered(self, least_score: float) -> int:
        """Pages that are answered before the score falls below the least one."""
        below = (index for index, page in enumerate(self.pages) if page.score < least_score)
        return next(below, len(self.pages))


def try_sequences(
    predictor: Predictor, sequences: Iterable[PageSequence], conditions: Conditions
) -> Iterator[SequenceTrial]:
    """Try sequences, one at a time.

    Args:
        predictor: Clicks the first page, and carries its mask on.
        sequences: Each with the object on its first page, and at least two pages.
        conditions: What holds for all.

    Raises:
        DatasetError: A page cannot be read.
    """
    for sequence in sequences:
        yield try_sequence(predictor, sequence, conditions)


def try_sequence(
    predictor: Predictor, sequence: PageSequence, conditions: Conditions
) -> SequenceTrial:
    """Try one; see :func:`try_sequences`."""
    annotator = Annotator(predictor, sequence, conditions.target, conditions.max_clicks)
    mask, clicks = sequence[0].truth, 0
    if conditions.first == "clicks":
        mask, clicks = annotator.click(0)
    options = PropagateOptions(least_score=0.0, most_pages=len(sequence), backward=False)
    pages = EncodedPages(predictor, sequence)
    carried = _carried(predictor, sequence, pages, mask, options) if mask.any() else []
    behind = len(sequence) - 1
    for index in range(len(carried) + 1, behind + 1):
        carried.append(CarriedPage(quality(sequence[index], None), 0.0, 0.0, b""))
    stack = None
    if conditions.stacks:
        stack = annotate_stack(annotator, replace(options, least_score=conditions.least_score))
    return SequenceTrial(
        sequence=sequence.name,
        first_iou=annotator.quality(0, mask),
        first_clicks=clicks,
        pages=tuple(carried),
        stack=stack,
    )


def _carried(
    predictor: Predictor,
    sequence: PageSequence,
    pages: EncodedPages,
    mask: BoolMask,
    options: PropagateOptions,
) -> list[CarriedPage]:
    carried: list[CarriedPage] = []
    found = Propagator(predictor).propagate(pages, {0: mask}, options=options)
    while True:
        began, read = time.perf_counter(), pages.reading
        each = next(found, None)
        took = time.perf_counter() - began - (pages.reading - read)
        if each is None:
            return carried
        packed = zlib.compress(np.packbits(each.mask).tobytes(), 1)
        iou = quality(sequence[each.index], each.mask)
        carried.append(CarriedPage(iou, each.score, took, packed))
