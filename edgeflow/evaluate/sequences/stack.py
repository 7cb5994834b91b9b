"""What it takes to have an object on each page of a stack: carried and corrected, or clicked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from edgeflow.arrays import BoolMask
from edgeflow.evaluate.clicker import Clicker
from edgeflow.evaluate.sequences.pages import EncodedPages, quality
from edgeflow.evaluate.sequences.sequence import PageSequence
from edgeflow.evaluate.traces import Rules, click_object
from edgeflow.inference.predictor import Predictor
from edgeflow.propagate.options import PropagateOptions
from edgeflow.propagate.propagator import Propagator

REMOVE = 1
"""Clicks that it takes to remove a mask from a page where the object is out of sight."""


@dataclass(frozen=True)
class Stack:
    """A stack that was annotated in two ways.

    Attributes:
        pages: Their number.
        clicked: Clicks, each page clicked by itself until it is good.
        carried: Clicks, the first page clicked, the mask carried on, and the worst page corrected
            until all are good.
        corrected: Pages that were corrected.
        unreached: Pages that are not good in the end, all allowed clicks spent on each.
    """

    pages: int
    clicked: int
    carried: int
    corrected: int
    unreached: int

    @property
    def share(self) -> float:
        """Clicks with carrying over clicks without."""
        return self.carried / self.clicked if self.clicked else 1.0


@dataclass(frozen=True)
class Annotator:
    """Clicks an object until its mask is good.

    Attributes:
        predictor: Answers the clicks.
        sequence: The pages.
        target: IoU at which a mask is good.
        max_clicks: Number of clicks at which a page is given up.
    """

    predictor: Predictor
    sequence: PageSequence
    target: float
    max_clicks: int

    def click(self, index: int, start: BoolMask | None = None) -> tuple[BoolMask, int]:
        """The mask of one page, and the clicks it took.

        Args:
            index: Of the page.
            start: H×W mask to correct; None for nothing.
        """
        page = self.sequence[index]
        truth = Clicker(page.truth, page.ignore).truth
        if not truth.any():
            return np.zeros_like(truth), 0 if start is None else REMOVE
        rules = Rules(threshold=0.5, max_clicks=self.max_clicks, stop_at=self.target)
        image = self.predictor.encode(page.rgb)
        trace = click_object(self.predictor, image, truth, page.ignore, rules, start=start)
        return trace.mask, len(trace.clicks)

    def quality(self, index: int, mask: BoolMask | None) -> float:
        """IoU of a page's mask, 0 to 1."""
        return quality(self.sequence[index], mask)


def annotate_stack(
    annotator: Annotator, options: PropagateOptions, progress: Callable[[], None] = lambda: None
) -> Stack:
    """Annotate a stack in both ways.

    Args:
        annotator: Clicks.
        options: How far an object is carried.
        progress: Called after each page that is clicked.
    """
    count = len(annotator.sequence)
    alone = []
    for index in range(count):
        alone.append(annotator.click(index))
        progress()
    pages = EncodedPages(annotator.predictor, annotator.sequence)
    propagator = Propagator(annotator.predictor)
    known: dict[int, BoolMask] = {0: alone[0][0]}
    answers: dict[int, BoolMask] = {}
    clicks, corrected = alone[0][1], 0
    first, last = 0, count - 1
    while True:
        # Beyond the neighbours of the last correction nothing changes.
        fixed = {page: mask for page, mask in answers.items() if not first <= page <= last}
        for page in range(first, last + 1):
            answers.pop(page, None)
        starts = [page for page in known if first <= page <= last and known[page].any()]
        if starts:
            found = propagator.propagate(
                pages, {**fixed, **known}, starts, replace(options, most_pages=count)
            )
            answers |= {each.index: each.mask for each in found}
        open_pages = [page for page in range(count) if page not in known]
        worst = min(
            open_pages,
            key=lambda page: annotator.quality(page, answers.get(page)),
            default=None,
        )
        if worst is None or annotator.quality(worst, answers.get(worst)) >= annotator.target:
            break
        known[worst], spent = annotator.click(worst, answers.get(worst))
        clicks, corrected = clicks + spent, corrected + 1
        progress()
        first = max((page for page in known if page < worst), default=0)
        last = min((page for page in known if page > worst), default=count - 1)
    everything = {**answers, **known}
    return Stack(
        pages=count,
        clicked=sum(spent for _, spent in alone),
        carried=clicks,
        corrected=corrected,
        unreached=sum(
            annotator.quality(page, everything.get(page)) < annotator.target
            for page in range(count)
        ),
    )
