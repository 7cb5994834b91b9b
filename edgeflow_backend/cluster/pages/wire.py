"""An object that is carried through pages, as it crosses between the door and its replicas."""

from __future__ import annotations

from collections.abc import Hashable
from typing import NamedTuple

from edgeflow_backend.cluster.wire import SentMask
from edgeflow_backend.engine.schedule import Stream
from edgeflow_backend.images.sources import AsStored, Source
from edgeflow_backend.segmenter.pages import AskedPages, CarriedPage, CarriedPages, Way
from edgeflow_backend.segmenter.segmenter import Model
from edgeflow_backend.versions.version import Learnt


class SentWay(NamedTuple):
    """A :class:`Way`."""

    start: int
    step: int
    most: int
    mask: SentMask


class SentPages(NamedTuple):
    """An :class:`AskedPages`, for a model."""

    model: str | None
    pages: tuple[Source | AsStored, ...]
    ways: tuple[SentWay, ...]
    there: tuple[tuple[int, tuple[SentMask, ...]], ...]
    limit: int
    seconds: float
    least_score: float
    stream: Stream | None
    marks: frozenset[Hashable]
    learnt: Learnt | None = None

    @classmethod
    def of(cls, asked: AskedPages, model: Model) -> SentPages:
        """Pack what a segmenter is asked."""
        return cls(
            model.name,
            tuple(asked.pages),
            tuple(SentWay(w.start, w.step, w.count, SentMask.of(w.mask)) for w in asked.ways),
            tuple((page, tuple(map(SentMask.of, masks))) for page, masks in asked.there.items()),
            asked.limit,
            asked.seconds,
            asked.least_score,
            asked.stream,
            asked.marks,
            model.learnt,
        )

    @property
    def asked(self) -> AskedPages:
        """What is asked."""
        return AskedPages(
            self.pages,
            tuple(Way(w.start, w.step, w.most, w.mask.patch()) for w in self.ways),
            {page: tuple(mask.patch() for mask in masks) for page, masks in self.there},
            self.limit,
            self.seconds,
            self.least_score,
            self.stream,
            self.marks,
        )


class SentPage(NamedTuple):
    """A :class:`CarriedPage`."""

    page: int
    mask: SentMask
    score: float
    digest: str


class FoundPages(NamedTuple):
    """A :class:`CarriedPages`."""

    pages: tuple[SentPage, ...]
    stopped: frozenset[int]
    met: tuple[tuple[int, int], ...]
    unread: tuple[str, ...]
    steps: int
    model_version: str

    @classmethod
    def of(cls, found: CarriedPages) -> FoundPages:
        """Pack an answer."""
        pages = (SentPage(p.index, SentMask.of(p.mask), p.score, p.digest) for p in found.pages)
        return cls(
            tuple(pages), found.stopped, found.met, found.unread, found.steps, found.model_version
        )

    def carried(self) -> CarriedPages:
        """The answer itself."""
        pages = (CarriedPage(p.page, p.mask.patch(), p.score, p.digest) for p in self.pages)
        return CarriedPages(
            tuple(pages), self.stopped, self.met, self.unread, self.steps, self.model_version
        )
