"""Searches for similar objects, as they cross between the door and its replicas."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import NamedTuple

from edgeflow.geometry import Size
from edgeflow.masks.patch import MaskPatch
from edgeflow.prompts.click import Click
from edgeflow.similar.descriptor import Descriptor
from edgeflow.similar.found import Candidate, Found, SimilarOptions
from edgeflow_backend.cluster.wire import SentMask
from edgeflow_backend.engine.schedule import Stream
from edgeflow_backend.images.sources import AsStored, Source
from edgeflow_backend.segmenter.segmenter import Examples, Model, OpenedImage, Similar
from edgeflow_backend.versions.version import Learnt


class AskedSimilar(NamedTuple):
    """Examples in an image, for a model; the attributes are those of ``Asked`` and ``Examples``."""

    source: Source | AsStored
    size: Size
    digest: str
    model: str | None
    examples: tuple[SentMask, ...]
    counter_examples: tuple[SentMask, ...]
    taken: tuple[SentMask, ...]
    options: SimilarOptions
    stream: Stream | None
    marks: frozenset[Hashable]
    descriptors: tuple[Descriptor, ...]
    learnt: Learnt | None = None

    @classmethod
    def of(cls, image: OpenedImage, asked: Examples, model: Model) -> AskedSimilar:
        """Pack what a segmenter is asked."""
        return cls(
            image.source,
            image.size,
            image.digest,
            model.name,
            _sent(asked.examples),
            _sent(asked.counter_examples),
            _sent(asked.taken),
            asked.options,
            asked.stream,
            asked.marks,
            tuple(asked.descriptors),
            model.learnt,
        )

    @property
    def image(self) -> OpenedImage:
        """The image that is meant."""
        return OpenedImage(self.source, self.size, self.digest)

    @property
    def asked(self) -> Examples:
        """What is asked of it."""
        return Examples(
            _patches(self.examples),
            _patches(self.counter_examples),
            _patches(self.taken),
            self.options,
            self.stream,
            self.marks,
            self.descriptors,
        )


class AskedDescriptors(NamedTuple):
    """Objects in an image, and the model that is to describe them."""

    source: Source | AsStored
    size: Size
    digest: str
    model: str | None
    sent: tuple[SentMask, ...]
    learnt: Learnt | None = None

    @classmethod
    def of(cls, image: OpenedImage, masks: Sequence[MaskPatch], model: Model) -> AskedDescriptors:
        """Pack what a segmenter is asked."""
        return cls(image.source, image.size, image.digest, model.name, _sent(masks), model.learnt)

    @property
    def image(self) -> OpenedImage:
        """The image that is meant."""
        return OpenedImage(self.source, self.size, self.digest)

    @property
    def masks(self) -> Sequence[MaskPatch]:
        """The objects."""
        return _patches(self.sent)


class SentCandidate(NamedTuple):
    """A :class:`Candidate`."""

    click: Click
    mask: SentMask
    score: float
    similarity: float


class FoundSimilar(NamedTuple):
    """A :class:`Similar`."""

    candidates: tuple[SentCandidate, ...]
    steps: int
    seconds: float
    complete: bool
    model_version: str

    @classmethod
    def of(cls, similar: Similar) -> FoundSimilar:
        """Pack an answer."""
        found = similar.found
        return cls(
            tuple(
                SentCandidate(each.click, SentMask.of(each.mask), each.score, each.similarity)
                for each in found.candidates
            ),
            found.steps,
            found.seconds,
            found.complete,
            similar.model_version,
        )

    def similar(self) -> Similar:
        """The answer itself."""
        candidates = tuple(
            Candidate(each.click, each.mask.patch(), each.score, each.similarity)
            for each in self.candidates
        )
        return Similar(
            Found(candidates, self.steps, self.seconds, self.complete), self.model_version
        )


def _sent(masks: Sequence[MaskPatch]) -> tuple[SentMask, ...]:
    return tuple(map(SentMask.of, masks))


def _patches(masks: Sequence[SentMask]) -> tuple[MaskPatch, ...]:
    return tuple(mask.patch() for mask in masks)
