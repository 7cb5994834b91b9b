"""How far an object is carried from a page, which what is known of the others decides."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass


@dataclass(frozen=True)
class Known:
    """What is known of an object's pages.

    Attributes:
        count: Pages of the sequence.
        stored: Those where it was accepted or corrected, and is stored.
        prompted: Those where it was prompted on and waits.
        closed: Those that are not to be answered for another reason.
        waiting: Those where it is a suggestion, prompted on or not.
    """

    count: int
    stored: Container[int] = ()
    prompted: Container[int] = ()
    closed: Container[int] = ()
    waiting: Container[int] = ()


@dataclass(frozen=True)
class Stretch:
    """Pages in one direction.

    Attributes:
        start: The page that the object is carried from.
        step: 1 for later pages, -1 for earlier ones.
        most: How many pages may be answered.
    """

    start: int
    step: int
    most: int

    def covers(self, page: int) -> bool:
        """Whether a page is among them."""
        return 0 < (page - self.start) * self.step <= self.most


def stretch_from(here: int, step: int, known: Known) -> Stretch:
    """The pages that a prompt on a page answers in one direction.

    Stored pages that follow at once are passed over: so a prompt on any of them goes on where the
    last answer stopped. Suggestions between two pages that were prompted on are answered anew from
    the nearer one; with equal distances from the earlier one.

    Args:
        here: The prompt's page.
        step: 1 or -1.
        known: What is known of the others.
    """
    start = here
    while start + step in known.stored:
        start += step
    end, suggested = start + step, False
    while (
        0 <= end < known.count
        and end not in known.stored
        and end not in known.prompted
        and end not in known.closed
    ):
        suggested |= end in known.waiting
        end += step
    count = abs(end - start) - 1
    if suggested and (end in known.prompted or end in known.stored):
        earlier, later = sorted((start, end))
        middle = (earlier + later) // 2
        count = middle - earlier if step > 0 else later - middle - 1
    return Stretch(start, step, count)
