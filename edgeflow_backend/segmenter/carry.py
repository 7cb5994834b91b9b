"""Carries an object through pages that are fetched as they are reached, others' clicks between."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from typing_extensions import override

from edgeflow.errors import EdgeFlowError
from edgeflow.inference.predictor import Predictor
from edgeflow.inference.runs import StepInput, Steps
from edgeflow.inference.state import EncodedImage
from edgeflow.masks.patch import MaskPatch
from edgeflow.nn.interface import Feedback
from edgeflow.propagate.found import PageMask
from edgeflow.propagate.options import PropagateOptions
from edgeflow.propagate.pages import PageError, Pages
from edgeflow.propagate.propagator import Propagator
from edgeflow.runtime.base import Runtime, StepOutput
from edgeflow_backend.engine.engine import Engine
from edgeflow_backend.errors import DeadlineError, OverloadedError
from edgeflow_backend.images.provider import ImageProvider
from edgeflow_backend.segmenter.pages import AskedPages, CarriedPage, CarriedPages, Way

SAME_OBJECT_IOU = 0.5
"""Two masks that overlap more show one object."""


def carry_through(
    asked: AskedPages, predictor: Predictor, engine: Engine, images: ImageProvider, deadline: float
) -> CarriedPages:
    """Carry an object through pages; the ways take turns, a page each.

    Args:
        asked: What is asked for.
        predictor: Of the model that is asked.
        engine: Takes its network steps in turn with all others.
        images: Fetches pages when they are reached, and the next one meanwhile.
        deadline: On ``time.monotonic``'s clock.

    Raises:
        SupersededError: A newer request of the same stream came.
        NotReadyError: The segmenter is being stopped.
        PromptError: A mask is not of its page's size.
    """
    ends = min(deadline, time.monotonic() + asked.seconds)
    runtime = _QueuedRuntime(predictor.runtime, engine, asked, ends)
    propagator = Propagator(_with_runtime(predictor, runtime))
    walks = [_Walk(way, asked, propagator, images, ends) for way in asked.ways]
    found: list[CarriedPage] = []
    met: list[tuple[int, int]] = []
    going = list(walks)
    while going:
        for walk in list(going):
            if len(found) >= asked.limit or time.monotonic() > ends:
                for each in going:
                    each.stopped = True
                going = []
                break
            page = walk.next()
            if page is None:
                going.remove(walk)
                continue
            same = _same(page.mask, asked, page.index)
            if same is None:
                found.append(page)
            else:
                met.append((page.index, same))
                going.remove(walk)
    return CarriedPages(
        pages=tuple(found),
        stopped=frozenset(walk.way.step for walk in walks if walk.stopped),
        met=tuple(met),
        unread=tuple(dict.fromkeys(walk.trouble for walk in walks if walk.trouble)),
        steps=runtime.runs,
        model_version=predictor.version,
    )


class _Walk:
    """One way, walked page by page."""

    def __init__(
        self,
        way: Way,
        asked: AskedPages,
        propagator: Propagator,
        images: ImageProvider,
        ends: float,
    ) -> None:
        self.way = way
        self.stopped = False
        self.trouble = ""
        self._ends = ends
        self._pages = _Fetched(asked, way, images, ends)
        self._found: Iterator[PageMask] = propagator.propagate(
            self._pages,
            {way.start: way.mask.whole()},
            options=PropagateOptions(
                least_score=asked.least_score,
                most_pages=way.count,
                seconds=max(ends - time.monotonic(), 0.0),
                forward=way.step > 0,
                backward=way.step < 0,
            ),
        )

    def next(self) -> CarriedPage | None:
        """The object on the next page; None where the way ends."""
        page = None
        try:
            page = next(self._found, None)
        except (OverloadedError, DeadlineError):
            self.stopped = True
        self.trouble = self._pages.trouble
        if page is None:
            self.stopped |= bool(self.trouble) or time.monotonic() > self._ends
            return None
        image = self._pages[page.index]
        return CarriedPage(page.index, MaskPatch.of(page.mask), page.score, image.digest)


class _Fetched(Pages):
    """Pages of one way, fetched when they are looked at; the last two stay at hand."""

    def __init__(self, asked: AskedPages, way: Way, images: ImageProvider, ends: float) -> None:
        self._sources, self._way = asked.pages, way
        self._images, self._ends = images, ends
        self._held: dict[int, EncodedImage] = {}
        self.trouble = ""

    @override
    def __len__(self) -> int:
        return len(self._sources)

    @override
    def __getitem__(self, index: int) -> EncodedImage:
        if index in self._held:
            return self._held[index]
        try:
            image = self._images.get(self._sources[index], deadline=self._ends)
        except DeadlineError as error:  # its time is over, nothing is wrong with it
            raise PageError(error.message, hint=error.hint) from error
        except EdgeFlowError as error:
            self.trouble = f"page {index + 1}: {error.message}"
            raise PageError(self.trouble, hint=error.hint) from error
        following = index + self._way.step
        if 0 <= following < len(self._sources):
            self._images.prefetch(self._sources[following])
        self._held = {**dict(list(self._held.items())[-1:]), index: image}
        return image


@dataclass
class _QueuedRuntime(Runtime):
    """A runtime whose steps wait in the engine's queue.

    Attributes:
        inner: Runs the network.
        engine: Whose turn it takes.
        asked: Whose steps they are.
        ends: When they are no longer wanted, on ``time.monotonic``'s clock.
        runs: Steps taken.
    """

    inner: Runtime
    engine: Engine
    asked: AskedPages
    ends: float
    runs: int = 0

    @property
    @override
    def name(self) -> str:
        return self.inner.name

    @property
    @override
    def device(self) -> torch.device:
        return self.inner.device

    @property
    @override
    def feedback(self) -> Feedback:
        return self.inner.feedback

    @override
    def run(self, image: Tensor, prompt: Tensor) -> StepOutput:
        self.runs += 1
        return self.engine.take(
            _one_step(StepInput(image, prompt)),
            self.inner,
            deadline=self.ends,
            stream=self.asked.stream,
            marks=self.asked.marks,
        )


def _one_step(step: StepInput) -> Steps[StepOutput]:
    output = yield step
    return output


def _with_runtime(predictor: Predictor, runtime: Runtime) -> Predictor:
    return Predictor(
        runtime,
        version=predictor.version,
        policy=predictor.policy,
        cleanup=predictor.cleanup,
        calibration=predictor.calibration,
        quality=predictor.quality,
        encoder=predictor.encoder,
    )


def _same(mask: MaskPatch, asked: AskedPages, page: int) -> int | None:
    """Which of the masks that are there on a page shows the object; None for none."""
    for number, other in enumerate(asked.there.get(page, ())):
        if other.image_size == mask.image_size and other.iou(mask) > SAME_OBJECT_IOU:
            return number
    return None
