"""Images and networks in this process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

import numpy as np
import torch
from typing_extensions import override

from edgeflow.geometry import ImagePoint
from edgeflow.inference.predictor import Predictor, load_predictor
from edgeflow.inference.quality import QUALITIES
from edgeflow.inference.state import EncodedImage
from edgeflow.inference.zoom import POLICIES
from edgeflow.masks.patch import MaskPatch
from edgeflow.prompts.click import Click
from edgeflow.similar.features import ImageFeatures
from edgeflow.similar.finder import SimilarFinder
from edgeflow_backend.engine.engine import Engine, PrefixStates
from edgeflow_backend.engine.model_pool import ModelPool
from edgeflow_backend.errors import ChangedImageError
from edgeflow_backend.images.provider import ImageProvider
from edgeflow_backend.images.sources import AsStored, Source
from edgeflow_backend.memory.byte_lru import ByteLRU
from edgeflow_backend.memory.pages import state_to_pages
from edgeflow_backend.protocol.project import ProjectRef
from edgeflow_backend.segmenter.carry import carry_through
from edgeflow_backend.segmenter.models import ChosenModels
from edgeflow_backend.segmenter.pages import AskedPages, CarriedPages
from edgeflow_backend.segmenter.segmenter import (
    Clicks,
    ExampleDescriptors,
    Examples,
    Model,
    OpenedImage,
    Segmentation,
    Segmenter,
    Similar,
)
from edgeflow_backend.settings import Settings
from edgeflow_backend.shared.states import SharedStates, numerics
from edgeflow_backend.shared.tier import open_tier
from edgeflow_backend.status.metrics import Metrics
from edgeflow_backend.status.report import Cache, SharedTier


class LocalSegmenter(Segmenter):
    """Images, networks and their queue.

    Args:
        settings: Settings of the backend.
        predictor: The default model.
        metrics: Counts batches and waiting times.
        on_note: Told once an image which one it is and what a user should know of it.
    """

    def __init__(
        self,
        settings: Settings,
        predictor: Predictor,
        metrics: Metrics,
        *,
        on_note: Callable[[str], None] | None = None,
    ) -> None:
        self._settings = settings
        self.predictor = predictor
        self.models = ModelPool(settings, predictor)
        self.images = ImageProvider(settings, predictor, on_note=on_note, metrics=metrics)
        self._tier = open_tier(settings, "click states", metrics)
        self.engine = Engine(
            predictor,
            self._make_states(),
            queue_limit=settings.queue_limit,
            max_batch=settings.max_batch,
            window_s=settings.batch_window_ms / 1000,
            metrics=metrics,
        )
        self._chosen = ChosenModels(settings, self.models, self._answer_once)
        self._default = self.model(None).sent()
        self._features: ByteLRU[str, ImageFeatures] = ByteLRU(settings.feature_cache_bytes)
        self._looking = threading.Lock()

    @property
    @override
    def default(self) -> Model:
        return self._default

    @property
    @override
    def runtime(self) -> str:
        return self.predictor.execution

    @property
    @override
    def waiting(self) -> int:
        return self.engine.waiting

    @override
    def caches(self) -> Sequence[Cache]:
        return (
            Cache("images", self.images.cache.nbytes, self._settings.image_cache_bytes),
            Cache("click states", self.engine.states.nbytes, self._settings.state_cache_bytes),
            Cache("features", self._features.nbytes, self._settings.feature_cache_bytes),
            *self._chosen.caches(),
        )

    @override
    def shared(self) -> Sequence[SharedTier]:
        return () if self._tier is None else (self._tier.describe(),)

    @override
    def choose(self, project: ProjectRef, hint: str | None) -> Model:
        return self._chosen.choose(project, hint)

    def model(self, name: str | None) -> Model:
        """A model by name, loaded if it was not yet; None for the default one.

        Raises:
            LabelConfigError: There is no model with that name.
            CheckpointError: Its weights cannot be used.
        """
        return self._chosen.base(name)

    @override
    def suited(self, model: Model, image: OpenedImage) -> Model:
        return model if image.encoded is None else self._chosen.suited(model, image.encoded)

    @override
    def open(self, source: Source | AsStored, *, deadline: float) -> OpenedImage:
        encoded = self.images.get(source, deadline=deadline)
        return OpenedImage(source, encoded.size, encoded.digest, encoded)

    @override
    def prefetch(self, source: Source | AsStored) -> None:
        self.images.prefetch(source, self._chosen.look_ahead)

    @override
    def segment(
        self, image: OpenedImage, asked: Clicks, model: Model, *, deadline: float
    ) -> Segmentation:
        encoded = image.encoded or self._encoded(image, deadline)
        predictor = self._chosen.predictor(model, encoded)
        states = self.engine.states
        if isinstance(states, SharedStates):  # in this thread: the network's never waits for it
            states.bring(predictor, encoded, asked.clicks, asked.start)
        prediction = self.engine.predict(
            encoded,
            asked.clicks,
            deadline=deadline,
            predictor=predictor,
            start=asked.start,
            stream=asked.stream,
            marks=asked.marks,
        )
        return Segmentation(prediction.patch, prediction.score, prediction.steps, predictor.version)

    @override
    def find_similar(
        self, image: OpenedImage, asked: Examples, model: Model, *, deadline: float
    ) -> Similar:
        predictor = self._chosen.searcher(model, described=bool(asked.descriptors))
        encoded = image.encoded or self._encoded(image, deadline)
        finder = SimilarFinder(predictor, self._features)
        # In this thread, for features take longer than a step, and loading what they need longer
        # still: others' clicks go on meanwhile.
        with self._looking:
            features = finder.look(encoded, asked.examples, asked.descriptors)
        steps = finder.finding(
            encoded,
            asked.examples,
            counter_examples=asked.counter_examples,
            descriptors=asked.descriptors,
            taken=asked.taken,
            options=asked.options,
            features=features,
        )
        found = self.engine.take(
            steps, predictor.runtime, deadline=deadline, stream=asked.stream, marks=asked.marks
        )
        return Similar(found, predictor.version)

    @override
    def carry(self, asked: AskedPages, model: Model, *, deadline: float) -> CarriedPages:
        predictor = self._chosen.predictor(model)
        return carry_through(asked, predictor, self.engine, self.images, deadline)

    @override
    def describe_examples(
        self, image: OpenedImage, masks: Sequence[MaskPatch], model: Model, *, deadline: float
    ) -> ExampleDescriptors:
        predictor = self._chosen.searcher(model)
        finder = SimilarFinder(predictor, self._features)
        encoded = image.encoded or self._encoded(image, deadline)
        with self._looking:
            found = tuple(finder.describe(encoded, mask) for mask in masks)
        return ExampleDescriptors(found, predictor.version)

    @override
    def warm_up(self) -> None:
        self.measure_click(brightness=127)
        self.images.warm_up()
        self._chosen.load_served()

    def measure_click(self, brightness: int) -> float:
        """Run a first and a later click on a plain image; return seconds a click.

        Args:
            brightness: 0 to 255; one that was not used before, so that no state is known.
        """
        plain = self.predictor.encode(np.full((480, 640, 3), brightness, dtype=np.uint8))
        clicks = [Click(ImagePoint(320, 240)), Click(ImagePoint(100, 100), positive=False)]
        started = time.perf_counter()
        self.engine.predict(plain, clicks, deadline=time.monotonic() + 600)
        return (time.perf_counter() - started) / len(clicks)

    @override
    def close(self) -> None:
        self._chosen.close()
        self.engine.close()
        self.images.close()
        if self._tier is not None:
            self._tier.close()

    def _answer_once(self, predictor: Predictor) -> None:
        """Have a predictor answer, in turn with all clicks."""
        plain = predictor.encode(np.full((480, 640, 3), 127, dtype=np.uint8))
        click = Click(ImagePoint(320, 240))
        self.engine.predict(plain, [click], deadline=time.monotonic() + 600, predictor=predictor)

    def _make_states(self) -> PrefixStates:
        max_bytes = self._settings.state_cache_bytes
        if self._tier is None:
            return ByteLRU(max_bytes, copy=state_to_pages)
        return SharedStates(
            max_bytes,
            self._tier,
            numerics=numerics(self.predictor.runtime.device),
            ttl_s=self._settings.redis_ttl_s,
        )

    def _encoded(self, image: OpenedImage, deadline: float) -> EncodedImage:
        """The image that another process opened."""
        encoded = self.images.get(image.source, deadline=deadline)
        if encoded.digest != image.digest:
            raise ChangedImageError(
                "the image behind the task's URL was replaced while it was clicked on",
                hint="click again; reload the task if the picture looks different",
            )
        return encoded


def load_segmenter(
    settings: Settings, metrics: Metrics, *, on_note: Callable[[str], None] | None = None
) -> LocalSegmenter:
    """Load the default model; the arguments are those of :class:`LocalSegmenter`.

    Raises:
        CheckpointError: The weights cannot be used.
        DeviceError: The device does not exist.
    """
    if settings.cpu_threads:
        torch.set_num_threads(settings.cpu_threads)
    predictor = load_predictor(
        settings.model,
        folder=settings.models_folder,
        device=settings.device,
        policy=POLICIES[settings.zoom],
        cleanup=settings.cleanup,
        quality=QUALITIES[settings.quality],
        runtime=settings.runtime,
    )
    return LocalSegmenter(settings, predictor, metrics, on_note=on_note)
