"""What is asked for an object on the other pages of its task, and what is answered."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field

from edgeflow.masks.patch import MaskPatch
from edgeflow_backend.engine.schedule import Stream
from edgeflow_backend.images.sources import AsStored, Source


@dataclass(frozen=True)
class Way:
    """A direction in which an object is carried.

    Attributes:
        start: The page where it is known.
        step: 1 for later pages, -1 for earlier ones.
        count: Pages that may be answered at most.
        mask: The object on the first page.
    """

    start: int
    step: int
    count: int
    mask: MaskPatch


@dataclass(frozen=True)
class AskedPages:
    """What is asked for.

    Attributes:
        pages: Where the images are, in order.
        ways: In which directions.
        there: Masks of other objects by page: where one of them shows the carried object, a way
            ends.
        limit: Most pages that are answered.
        seconds: Time after which no further page is looked at.
        least_score: Score below which a way ends.
        stream: Who asks; None for a stream of its own.
        marks: Identifies what is asked within the stream, as of :class:`.Clicks`.
    """

    pages: Sequence[Source | AsStored]
    ways: Sequence[Way]
    there: Mapping[int, Sequence[MaskPatch]] = field(default_factory=dict)
    limit: int = 100
    seconds: float = 20.0
    least_score: float = 0.5
    stream: Stream | None = None
    marks: frozenset[Hashable] = frozenset()


@dataclass(frozen=True)
class CarriedPage:
    """The object on one page.

    Attributes:
        index: Of the page.
        mask: Not empty, of the page's size.
        score: Estimate of its IoU with the object, 0 to 1.
        digest: Of the page's image.
    """

    index: int
    mask: MaskPatch
    score: float
    digest: str


@dataclass(frozen=True)
class CarriedPages:
    """The object on other pages.

    Attributes:
        pages: In the order in which they were found.
        stopped: Steps of the ways that time, the limit or a page that cannot be read ended.
        met: Pages where a mask was there already, and which of that page's.
        unread: What is wrong with pages that cannot be read.
        steps: Network steps that were taken.
        model_version: Version of the model that carried it.
    """

    pages: tuple[CarriedPage, ...]
    stopped: frozenset[int]
    met: tuple[tuple[int, int], ...]
    unread: tuple[str, ...]
    steps: int
    model_version: str
