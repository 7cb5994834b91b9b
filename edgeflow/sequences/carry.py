"""Carries several objects through pages, side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from edgeflow.errors import PromptError
from edgeflow.propagate.found import PageMask
from edgeflow.propagate.options import PropagateOptions
from edgeflow.propagate.pages import Pages
from edgeflow.propagate.propagator import Propagator
from edgeflow.sequences.linking import SequenceObject
from edgeflow.sequences.read_pages import WholeMasks


def carry(
    propagator: Propagator,
    pages: Pages,
    objects: Sequence[SequenceObject],
    options: PropagateOptions,
    lose: Callable[[SequenceObject, str], None],
) -> Iterator[tuple[SequenceObject, PageMask]]:
    """Carry objects on by turns, a page each, so that pages are read once for all of them.

    Args:
        propagator: Carries one.
        pages: Images in order.
        objects: What is carried.
        options: How far, for each object.
        lose: Told of an object that cannot be carried, and why.

    Yields:
        An object and its mask on a further page.
    """
    going: list[tuple[SequenceObject, Iterator[PageMask]]] = []
    for each in objects:
        try:
            going.append((each, propagator.propagate(pages, WholeMasks(each.known), None, options)))
        except PromptError as error:
            lose(each, error.message)
    while going:
        still = []
        for each, steps in going:
            try:
                found = next(steps, None)
            except PromptError as error:
                lose(each, error.message)
                continue
            if found is not None:
                yield each, found
                still.append((each, steps))
        going = still
