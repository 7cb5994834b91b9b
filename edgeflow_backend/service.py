"""A click's way, from a task and its clicks to a region; each station is a module of its own."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import torch

from edgeflow.crop import POLICIES
from edgeflow.errors import PromptError
from edgeflow.geometry import ImagePoint, Size
from edgeflow.predictor import Predictor, load_predictor
from edgeflow.prompts import Click
from edgeflow_backend.accepted import drop_spent
from edgeflow_backend.cache import ByteLRU, PrefixStates
from edgeflow_backend.engine import Engine
from edgeflow_backend.images.provider import MEGABYTE, ImageProvider
from edgeflow_backend.images.sources import task_image
from edgeflow_backend.label_config import LabelConfig
from edgeflow_backend.metrics import Metrics
from edgeflow_backend.models import ModelPool
from edgeflow_backend.protocol import ClickPrompt, JSONObject
from edgeflow_backend.regions import brush_region, fit_to_editor, region_id
from edgeflow_backend.settings import Settings


@dataclass(frozen=True)
class Answer:
    """A region, its score, and the version of the model that made it."""

    region: JSONObject
    score: float
    model_version: str


class SegmentationService:
    """Everything that lives as long as the process: model, pictures, states, queue."""

    def __init__(self, settings: Settings, predictor: Predictor, metrics: Metrics) -> None:
        self.settings = settings
        self.predictor = predictor
        self.models = ModelPool(settings, predictor)
        self.metrics = metrics
        self.images = ImageProvider(settings, predictor)
        states: PrefixStates = ByteLRU(int(settings.state_cache_mb * MEGABYTE))
        self.engine = Engine(predictor, states, queue_limit=settings.queue_limit)

    @property
    def model_version(self) -> str:
        """Of the default model; changes whenever the weights do."""
        return self.predictor.version

    def warm_up(self) -> None:
        """Run a first and a later click, so that no annotator waits for lazy initialisation."""
        self.measure_click(brightness=127)

    def measure_click(self, brightness: int) -> float:
        """Run a first and a later click on a plain picture; return seconds a click.

        Args:
            brightness: 0 to 255; one that was not used before, so that no state is known.
        """
        plain = self.predictor.encode(np.full((480, 640, 3), brightness, dtype=np.uint8))
        clicks = [Click(ImagePoint(320, 240)), Click(ImagePoint(100, 100), positive=False)]
        started = time.perf_counter()
        self.engine.predict(plain, clicks, deadline=time.monotonic() + 600)
        return (time.perf_counter() - started) / len(clicks)

    def segment(
        self, task: JSONObject, prompt: ClickPrompt, config: LabelConfig, project: str = ""
    ) -> Answer:
        """Answer one interactive request.

        Args:
            task: with the picture's address in its data.
            prompt: the clicks.
            config: which control answers, and perhaps which model.
            project: the project's id, for models chosen by project.

        Raises:
            EdgeFlowError: it cannot be served; the message says why.
        """
        deadline = time.monotonic() + self.settings.request_timeout_s
        prompt = drop_spent(prompt, task)
        newest = prompt.newest
        control = config.mask_control(newest.to_name, newest.label)
        predictor = self.models.choose(project, config.model_hint(newest.from_name))
        address = task_image(task["data"], config.image(newest.to_name), newest.item_index)
        image = self.images.get(address, deadline=deadline)
        prediction = self.engine.predict(
            image, prompt.clicks(image.size), deadline=deadline, predictor=predictor
        )
        self.metrics.steps.inc(prediction.steps)
        if prediction.state.mask_box is None:
            raise PromptError(
                "no object was found at these clicks", hint="click nearer to the object's middle"
            )
        size = self._editor_size(prompt, image.size)
        region = brush_region(
            fit_to_editor(prediction.mask, size),
            prediction.score,
            prompt,
            control,
            region_id(task.get("id"), prompt),
        )
        return Answer(region, prediction.score, predictor.version)

    def observe_caches(self) -> None:
        """Bring the caches' gauges up to date."""
        self.metrics.cache_bytes.labels("images").set(self.images.cache.nbytes)
        self.metrics.cache_bytes.labels("states").set(self.engine.states.nbytes)

    def close(self) -> None:
        """Stop the threads."""
        self.engine.close()
        self.images.close()

    def _editor_size(self, prompt: ClickPrompt, image: Size) -> Size:
        """The picture's size as the editor sees it, which the region must have."""
        size = Size(
            prompt.newest.original_height or image.height,
            prompt.newest.original_width or image.width,
        )
        if size.height * size.width > self.settings.max_pixels:
            raise PromptError(
                f"the request says that the picture has {size.width}×{size.height} pixels",
                hint="reload the task in Label Studio",
            )
        return size


def build_service(settings: Settings, metrics: Metrics) -> SegmentationService:
    """Load the model, warm it up, and return a service that is ready.

    Raises:
        CheckpointError: the weights cannot be used.
        DeviceError: the device does not exist.
    """
    if settings.cpu_threads:
        torch.set_num_threads(settings.cpu_threads)
    predictor = load_predictor(
        settings.model,
        folder=settings.models_folder,
        device=settings.device,
        policy=POLICIES[settings.zoom],
    )
    service = SegmentationService(settings, predictor, metrics)
    service.warm_up()
    return service
