"""From a mask on one page to all others: a pure function of weights, pages, masks and options."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from edgeflow.arrays import BoolMask
from edgeflow.errors import PromptError
from edgeflow.inference.predictor import Predictor
from edgeflow.propagate.found import PageMask
from edgeflow.propagate.options import PropagateOptions
from edgeflow.propagate.pages import PageError, Pages
from edgeflow.propagate.step import LiveSteps, PageSteps, Tracked

__all__ = ["PageError", "Pages", "Propagator"]

DEFAULTS = PropagateOptions()


class Propagator:
    """Carries an object's mask through pages. Immutable, so threads may share it.

    Args:
        predictor: A loaded one.
    """

    def __init__(self, predictor: Predictor) -> None:
        self.predictor = predictor

    def propagate(
        self,
        pages: Pages,
        known: Mapping[int, BoolMask],
        starts: Sequence[int] | None = None,
        options: PropagateOptions = DEFAULTS,
        steps: PageSteps | None = None,
    ) -> Iterator[PageMask]:
        """Carry an object outward from the pages where its mask is known, nearest pages first.

        Starts and directions take turns: the pages beside the starts, then the next ones. A
        direction ends at a known page, at a page that another start has answered, where the score
        falls below the least one, at a page that cannot be read, and at the first and last page.
        Pages between two starts are so answered from the nearer one; with equal distances from the
        earlier one.

        Args:
            pages: Images in order.
            known: Masks by page, H×W bool of the page's size: accepted or corrected ones, which are
                never answered. An empty mask says that the object is not on the page.
            starts: Pages of ``known`` to start from; None for all whose mask is not empty.
            options: How far to go.
            steps: Takes the steps over these pages; None for the network itself.

        Yields:
            A mask a page, as soon as it is found.

        Raises:
            PromptError: At once, if no mask to start from is known, or one is of no page; at the
                first page beside it, if a mask is not of its page's size.
        """
        chosen = _starts(len(pages), known, starts)
        steps = steps or LiveSteps(self.predictor, pages)
        return self._propagate(len(pages), known, chosen, options, steps)

    def _propagate(
        self,
        count: int,
        known: Mapping[int, BoolMask],
        starts: Sequence[int],
        options: PropagateOptions,
        steps: PageSteps,
    ) -> Iterator[PageMask]:
        ends = None if options.seconds is None else time.monotonic() + options.seconds
        taken = set(known)
        heads = _heads(count, known, starts, options, steps)
        answered = 0
        while heads:
            going = []
            for head in heads:
                index = head.page + head.step
                if not 0 <= index < count or index in taken:
                    continue
                if answered == options.most_pages or (ends is not None and time.monotonic() > ends):
                    return
                try:
                    tracked = steps.next(head.tracked, index)
                except PageError:
                    continue
                if tracked is None or tracked.score < options.least_score:
                    continue
                taken.add(index)
                answered += 1
                going.append(_Head(index, head.step, tracked))
                yield PageMask(index, tracked.mask, tracked.score)
            heads = going


class _Head(NamedTuple):
    """The last page of a direction.

    Attributes:
        page: Its number.
        step: 1 forward, -1 backward.
        tracked: The object on it.
    """

    page: int
    step: int
    tracked: Tracked


def _heads(
    count: int,
    known: Mapping[int, BoolMask],
    starts: Sequence[int],
    options: PropagateOptions,
    steps: PageSteps,
) -> list[_Head]:
    ways = [step for step, wanted in ((1, options.forward), (-1, options.backward)) if wanted]
    heads = []
    for index in starts:
        open_ways = [
            step for step in ways if 0 <= index + step < count and index + step not in known
        ]
        if not open_ways:
            continue
        try:
            tracked = steps.start(index, known[index])
        except PageError:
            continue
        heads += [_Head(index, step, tracked) for step in open_ways]
    return heads


def _starts(
    count: int, known: Mapping[int, BoolMask], starts: Sequence[int] | None
) -> Sequence[int]:
    if outside := [index for index in known if not 0 <= index < count]:
        raise PromptError(
            f"there is a mask of page {outside[0] + 1}, but there are {count} pages",
            hint="leave out masks of pages that do not exist",
        )
    chosen = sorted(index for index, mask in known.items() if mask.any())
    if starts is not None:
        if missing := [index for index in starts if index not in chosen]:
            raise PromptError(
                f"nothing is marked on page {missing[0] + 1}",
                hint="mark the object on the page to start from",
            )
        chosen = sorted(set(starts))
    if not chosen:
        raise PromptError("no page to start from", hint="mark the object on one page")
    return chosen
