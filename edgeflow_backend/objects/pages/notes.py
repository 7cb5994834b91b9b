"""What the status page says of pages that a prompt did not answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from edgeflow_backend.objects.pages.plan import Stretch
from edgeflow_backend.objects.pages.sequence import Page
from edgeflow_backend.segmenter.pages import CarriedPages


class Note(NamedTuple):
    """Why pages have no answer, and what to do."""

    code: str
    message: str
    hint: str


def notes_on(
    pages: Sequence[Page], stretches: Sequence[Stretch], found: CarriedPages
) -> Iterator[Note]:
    """What is to be said of an answer.

    Args:
        pages: The sequence.
        stretches: The pages that were to be answered.
        found: Those that were.
    """
    if len(pages) == 1:
        yield Note(
            "pages_none",
            "the image is the only page of its task",
            'edgeflowFind="pages" is for Image tags with a valueList, or in a Repeater',
        )
    beyond = (each.start + each.step * (each.most + 1) for each in stretches)
    lost = [
        f"page {page + 1}: {pages[page].trouble}"
        for page in beyond
        if 0 <= page < len(pages) and pages[page].trouble
    ]
    for message in (*found.unread, *lost):
        yield Note(
            "page_unreadable",
            message,
            "the object was carried up to it; click on it on a page behind it to go on",
        )
    if found.stopped and not found.unread:
        yield Note(
            "pages_unfinished",
            f"{len(found.pages)} other pages were answered, and there are more",
            "click on the object on the last one to go on from there, or raise "
            "EDGEFLOW_PAGES_SECONDS and EDGEFLOW_PAGES_LIMIT",
        )
