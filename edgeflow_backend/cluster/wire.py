"""What crosses between the door and its replicas, as small values that pickle.

Masks cross as deflated bits. Errors cross as values, since those with keyword arguments do not
pickle; on the other side they are of the same class again.
"""

from __future__ import annotations

import zlib
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

import numpy as np

from edgeflow.arrays import BoolMask
from edgeflow.errors import (
    CheckpointError,
    EdgeFlowError,
    ImageError,
    ImageTooLargeError,
    LabelConfigError,
    PromptError,
)
from edgeflow.geometry import Box, Size
from edgeflow.masks.patch import MaskPatch
from edgeflow.prompts.click import Click
from edgeflow.prompts.outline import Outline
from edgeflow.prompts.prior_mask import PriorMask
from edgeflow.prompts.start import Start
from edgeflow_backend.engine.schedule import Stream
from edgeflow_backend.errors import (
    ChangedImageError,
    DeadlineError,
    FetchError,
    InternalError,
    NotReadyError,
    OverloadedError,
    RefusedRequestError,
    SupersededError,
)
from edgeflow_backend.images.sources import AsStored, Source
from edgeflow_backend.segmenter.segmenter import Clicks, Model, OpenedImage, Segmentation
from edgeflow_backend.status.report import Cache
from edgeflow_backend.versions.version import Learnt

T = TypeVar("T")


class SentMask(NamedTuple):
    """A mask as bits, row by row and deflated, and its place in an image."""

    bits: bytes
    box: Box
    image_size: Size

    @classmethod
    def of(cls, mask: MaskPatch) -> SentMask:
        """Pack a mask."""
        bits = zlib.compress(np.packbits(mask.pixels).tobytes(), 1)  # a tenth, in 3 ms or less
        return cls(bits, mask.box, mask.image_size)

    def patch(self) -> MaskPatch:
        """The mask itself."""
        height, width = self.box.size
        bits = np.frombuffer(zlib.decompress(self.bits), dtype=np.uint8)
        pixels = np.unpackbits(bits, count=height * width).reshape(height, width)
        return MaskPatch(pixels.view(np.bool_), self.box, self.image_size)


class SentPrior(NamedTuple):
    """A :class:`PriorMask`."""

    mask: SentMask

    def start(self) -> Start:
        """The start itself."""
        return PriorMask(self.mask.patch().whole())


class SentOutline(NamedTuple):
    """An :class:`Outline`."""

    box: Box
    inside: SentMask | None
    beyond: SentMask | None

    def start(self) -> Start:
        """The start itself."""
        inside = None if self.inside is None else self.inside.patch().whole()
        return Outline(self.box, inside, None if self.beyond is None else self.beyond.patch())


class SentStart(NamedTuple):
    """A start without large arrays, as it is."""

    value: Start

    def start(self) -> Start:
        """The start itself."""
        return self.value


def _send_start(start: Start | None) -> SentPrior | SentOutline | SentStart | None:
    if isinstance(start, PriorMask):
        return SentPrior(_send_whole(start.mask))
    if isinstance(start, Outline):
        inside = None if start.inside is None else _send_whole(start.inside)
        beyond = None if start.beyond is None else SentMask.of(start.beyond)
        return SentOutline(start.box, inside, beyond)
    return None if start is None else SentStart(start)


def _send_whole(mask: BoolMask) -> SentMask:
    return SentMask.of(MaskPatch.of(mask))


class Asked(NamedTuple):
    """Clicks on an image, for a model.

    Attributes:
        source: Where the image is.
        size: The image's, as it was opened.
        digest: Of the image that was opened.
        model: Name of the model; None for the default one.
        clicks: As in :class:`Clicks`, and so are start, stream and marks.
        learnt: The version of that model that a project has learnt; None for none.
    """

    source: Source | AsStored
    size: Size
    digest: str
    model: str | None
    clicks: tuple[Click, ...]
    start: SentPrior | SentOutline | SentStart | None
    stream: Stream | None
    marks: frozenset[Hashable]
    learnt: Learnt | None = None

    @classmethod
    def of(cls, image: OpenedImage, asked: Clicks, model: Model) -> Asked:
        """Pack what a segmenter is asked."""
        start = _send_start(asked.start)
        clicks = tuple(asked.clicks)
        return cls(
            image.source, image.size, image.digest, model.name, clicks, start, asked.stream,
            asked.marks, model.learnt,
        )  # fmt: skip

    @property
    def image(self) -> OpenedImage:
        """The image that is meant."""
        return OpenedImage(self.source, self.size, self.digest)

    @property
    def asked(self) -> Clicks:
        """What is asked of it."""
        start = None if self.start is None else self.start.start()
        return Clicks(self.clicks, start, self.stream, self.marks)


class Segmented(NamedTuple):
    """A :class:`Segmentation`."""

    mask: SentMask
    score: float
    steps: int
    model_version: str

    @classmethod
    def of(cls, segmentation: Segmentation) -> Segmented:
        """Pack an answer."""
        mask = SentMask.of(segmentation.mask)
        return cls(mask, segmentation.score, segmentation.steps, segmentation.model_version)

    def segmentation(self) -> Segmentation:
        """The answer itself."""
        return Segmentation(self.mask.patch(), self.score, self.steps, self.model_version)


class Described(NamedTuple):
    """What a replica says of itself.

    Attributes:
        fingerprint: Identifies the settings and the code that it was started with.
        default: The model that answers where nothing names another.
        runtime: Runtime, device and precision of that model, in words.
    """

    fingerprint: str
    default: Model
    runtime: str


class Failure(NamedTuple):
    """An :class:`EdgeFlowError` as a value."""

    code: str
    message: str
    hint: str
    retry_after_s: int | None

    @classmethod
    def of(cls, error: EdgeFlowError) -> Failure:
        """Pack an error."""
        retry = error.retry_after_s if isinstance(error, RefusedRequestError) else None
        return cls(error.code, error.message, error.hint, retry)

    def error(self) -> EdgeFlowError:
        """The error itself, of the class that has its code."""
        error = _CLASSES.get(self.code, EdgeFlowError)(self.message, hint=self.hint)
        error.code = self.code
        if isinstance(error, RefusedRequestError):
            error.retry_after_s = self.retry_after_s
        return error


_CLASSES: dict[str, type[EdgeFlowError]] = {
    each.code: each
    for each in (
        ChangedImageError,
        CheckpointError,
        DeadlineError,
        FetchError,
        ImageError,
        ImageTooLargeError,
        InternalError,
        LabelConfigError,
        NotReadyError,
        OverloadedError,
        PromptError,
        SupersededError,
    )
}
"""Errors that somebody tells apart, by code; any other one keeps its code and its words."""


class Load(NamedTuple):
    """What a replica holds and does.

    Attributes:
        replica: Its name.
        waiting: Predictions that wait for its network, running ones included.
        caches: How full its caches are.
    """

    replica: str
    waiting: int
    caches: tuple[Cache, ...]


class Observed(NamedTuple):
    """What a replica counted since its last reply."""

    queue_seconds: Sequence[float] = ()
    batch_sizes: Sequence[float] = ()
    superseded: int = 0


NOTHING_OBSERVED = Observed()


@dataclass(frozen=True)
class Reply(Generic[T]):
    """A replica's reply.

    Attributes:
        value: What was asked for, or why not.
        load: What the replica holds and does.
        observed: What it counted since its last reply.
        notes: What a user should know of images that it opened since.
    """

    value: T | Failure
    load: Load
    observed: Observed = NOTHING_OBSERVED
    notes: tuple[str, ...] = ()

    def unpacked(self) -> T:
        """The value.

        Raises:
            EdgeFlowError: There is none, and why.
        """
        if isinstance(self.value, Failure):
            raise self.value.error()
        return self.value
