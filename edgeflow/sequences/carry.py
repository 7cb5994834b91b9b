"""Carries several objects through pages, side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from edgeflow.errors import PromptError
from edgeflow.propagate.found import PageMask
from edgeflow.propagate.options import PropagateOptions
from edgeflow.propagate.pages import Pages
from edgeflow.propagate.propagator import Propagator
from edgeflow.propagate.step import PageSteps
from edgeflow.sequences.linking import SequenceObject
from edgeflow.sequences.read_pages import WholeMasks


def carry(
    propagator: Propagator,
    pages: Pages,
    objects: Sequence[SequenceObject],
    options: PropagateOptions,
    lose: Callable[[SequenceObject, str], None],
    steps: PageSteps | None = None,
) -> Iterator[tuple[SequenceObject, PageMask]]:
    """Carry objects on by turns, a page each, so that pages are read once for all of them.

    Args:
        propagator: Carries one.
        pages: Images in order.
        objects: What is carried.
        options: How far, for each object.
        lose: Told of an object that cannot be carried, and why.
        steps: Takes the steps; None for the network itself.

    Yields:
        An object and its mask on a further page.
    """
    going: list[tuple[SequenceObject, Iterator[PageMask]]] = []
    for each in objects:
        try:
            masks = WholeMasks(each.known)
            going.append((each, propagator.propagate(pages, masks, None, options, steps)))
        except PromptError as error:
            lose(each, error.message)
    while going:
        still = []
        for each, way in going:
            try:
                found = next(way, None)
            except PromptError as error:
                lose(each, error.message)
                continue
            if found is not None:
                yield each, found
                still.append((each, way))
        going = still
