"""A click's way, from a task and its clicks to a region; each station is a module of its own."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import torch

from edgeflow.errors import PromptError
from edgeflow.geometry import ImagePoint, Size
from edgeflow.inference.predictor import EncodedImage, Predictor, load_predictor
from edgeflow.inference.zoom import POLICIES
from edgeflow.label_studio.region_values import PolygonOptions
from edgeflow.label_studio.values import JSONObject
from edgeflow.masks.patch import MaskPatch, fit_mask
from edgeflow.prompts.click import Click
from edgeflow_backend.engine.engine import Engine, PrefixStates
from edgeflow_backend.engine.model_pool import ModelPool
from edgeflow_backend.engine.streams import marks_of, stream_of
from edgeflow_backend.errors import LabelConfigError
from edgeflow_backend.images.provider import ImageProvider
from edgeflow_backend.images.sources import task_image
from edgeflow_backend.memory.byte_lru import ByteLRU
from edgeflow_backend.memory.pages import state_to_pages
from edgeflow_backend.objects.recent_answers import RecentAnswer, RecentAnswers
from edgeflow_backend.objects.refine import Refinement
from edgeflow_backend.objects.segmented_object import SegmentedObject
from edgeflow_backend.objects.spent_clicks import drop_spent
from edgeflow_backend.objects.task_regions import open_regions, shown_mask
from edgeflow_backend.protocol.label_config import LabelConfig
from edgeflow_backend.protocol.outlines import outline
from edgeflow_backend.protocol.prompts import ClickPrompt, ShapePrompt
from edgeflow_backend.protocol.regions import Holder, mask_regions, region_id, region_label
from edgeflow_backend.protocol.wire import PromptRegion
from edgeflow_backend.requests import Answer, Request
from edgeflow_backend.settings import Settings
from edgeflow_backend.status.journal import Journal
from edgeflow_backend.status.metrics import Metrics

PREPARED_IMAGES = 8
"""Of a task with many images, so many are fetched when it is opened."""

RECENT_BYTES = 64_000_000
STORED_MASKS_BYTES = 64_000_000


class SegmentationService:
    """Everything that lives as long as the process: model, images, states, queue."""

    def __init__(
        self,
        settings: Settings,
        predictor: Predictor,
        metrics: Metrics,
        *,
        journal: Journal | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.settings = settings
        self.predictor = predictor
        self.models = ModelPool(settings, predictor)
        self.metrics = metrics
        self.journal = journal or Journal()
        self.images = ImageProvider(settings, predictor)
        states: PrefixStates = ByteLRU(settings.state_cache_bytes, copy=state_to_pages)
        self.recent = RecentAnswers(RECENT_BYTES, clock)
        self._refinement = Refinement(settings.refine_reach, ByteLRU(STORED_MASKS_BYTES))
        self.engine = Engine(
            predictor,
            states,
            queue_limit=settings.queue_limit,
            max_batch=settings.max_batch,
            window_s=settings.batch_window_ms / 1000,
            metrics=metrics,
        )

    @property
    def model_version(self) -> str:
        """Of the default model; changes whenever the weights do."""
        return self.predictor.version

    def warm_up(self) -> None:
        """Run a first and a later click, so that no annotator waits for lazy initialisation."""
        self.measure_click(brightness=127)

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

    def segment(self, request: Request) -> Answer:
        """Answer one interactive request.

        Raises:
            EdgeFlowError: it cannot be served; the message says why.
        """
        if isinstance(request.prompt, ClickPrompt):
            request = replace(request, prompt=drop_spent(request.prompt, request.task))
        deadline = time.monotonic() + self.settings.request_timeout_s
        image, predictor = self._ground(request, deadline)
        scene, prompt = request.scene(image), request.prompt
        with self.recent.visit(scene, prompt.ids):
            before = self._continued(request, image, predictor.version)
            before = before or begun(request, image.size)
            after, mask, score = self._cut_out(request, before, image, predictor, deadline)
            answered = RecentAnswer(
                before=before,
                after=after,
                prompt_ids=prompt.ids,
                to_name=prompt.newest.to_name,
                item_index=prompt.newest.item_index,
                mask=MaskPatch.of(mask),
                drawn=isinstance(prompt, ShapePrompt),
            )
            self.recent.remember(scene, answered)
        regions = self._regions(request, after, mask, score, predictor.version)
        return Answer(regions, score, predictor.version)

    def preannotate(self, request: Request, deadline: float) -> Answer:
        """Answer a prompt that nobody made for us: a box or point found in a task.

        Args:
            request: with that prompt.
            deadline: on ``time.monotonic``'s clock.

        Raises:
            EdgeFlowError: it cannot be served; the message says why.
        """
        image, predictor = self._ground(request, deadline)
        before = begun(request, image.size)
        after, mask, score = self._cut_out(request, before, image, predictor, deadline)
        regions = self._regions(request, after, mask, score, predictor.version)
        return Answer(regions, score, predictor.version)

    def prepare(self, task: JSONObject, config: LabelConfig, host: str = "") -> None:
        """Fetch and decode a task's images in the background; never raises.

        Called when a task is opened, so that the first click finds its image ready.
        """
        for tag in config.images:
            value = task["data"].get(tag.key)
            for address in value[:PREPARED_IMAGES] if isinstance(value, list) else [value]:
                if isinstance(address, str):
                    self.images.prefetch(address, host=host, task_id=task.get("id"))

    def observe_caches(self) -> None:
        """Bring the caches' gauges up to date."""
        self.metrics.cache_bytes.labels("images").set(self.images.cache.nbytes)
        self.metrics.cache_bytes.labels("states").set(self.engine.states.nbytes)

    def close(self) -> None:
        """Stop the threads."""
        self.engine.close()
        self.images.close()

    def _ground(self, request: Request, deadline: float) -> tuple[EncodedImage, Predictor]:
        """The image and the model that a request asks for."""
        newest, config = request.prompt.newest, request.config
        predictor = self.models.choose(request.project, config.model_hint(newest.from_name))
        # The config's mistakes come first: they are cheaper to find than an image.
        config.mask_control(newest.to_name, request.label, newest.from_name)
        address = task_image(request.task["data"], config.image(newest.to_name), newest.item_index)
        image = self.images.get(
            address, deadline=deadline, host=request.host, task_id=request.task.get("id")
        )
        return image, predictor

    def _continued(
        self, request: Request, image: EncodedImage, model_version: str
    ) -> SegmentedObject | None:
        """The object that the prompt goes on with, if there is one."""
        if self.settings.refine == "off":
            return None
        scene = request.scene(image)
        stored = list(open_regions(request.task, self.settings.refine))
        return self._refinement.find(
            request.prompt,
            request.label,
            request.config,
            stored=stored,
            recent=self.recent.of(scene, {region.object_id for region in stored}),
            repeated=self.recent.repeated(scene, request.prompt.ids),
            size=image.size,
            model=model_version,
        )

    def _cut_out(
        self,
        request: Request,
        before: SegmentedObject,
        image: EncodedImage,
        predictor: Predictor,
        deadline: float,
    ) -> tuple[SegmentedObject, npt.NDArray[np.bool_], float]:
        """Run the network; the object with the prompt's clicks, its mask, and its score."""
        prompt, limit = request.prompt, self.settings.max_clicks
        clicks = prompt.clicks(image.size, begins=not before.exists)
        after = before.with_clicks(prompt.ids, clicks, image.size)
        if len(after.clicks) > limit:
            raise PromptError(
                f"{len(after.clicks)} clicks on one object, the limit is {limit}",
                hint="accept or reset the region and start anew, or raise EDGEFLOW_MAX_CLICKS",
            )
        prediction = self.engine.predict(
            image,
            after.clicks,
            deadline=deadline,
            predictor=predictor,
            start=after.start,
            stream=stream_of(request.scene(image), prompt),
            marks=marks_of(prompt),
        )
        self.metrics.steps.inc(prediction.steps)
        if not prediction.mask.any():
            raise PromptError(
                "no object was found at these clicks", hint="click nearer to the object's middle"
            )
        size = self._editor_size(prompt.newest, image.size)
        return after, fit_mask(prediction.mask, size), prediction.score

    def _regions(
        self,
        request: Request,
        shown: SegmentedObject,
        mask: npt.NDArray[np.bool_],
        score: float,
        model_version: str,
    ) -> list[JSONObject]:
        newest = request.prompt.newest
        crop = MaskPatch.of(mask)
        return mask_regions(
            mask,
            score,
            newest,
            _holder(request.config, newest.to_name, shown),
            shown.region_id,
            polygons=PolygonOptions(self.settings.polygon_tolerance, self.settings.polygon_holes),
            record=lambda region: shown.record(region, shown_mask(region, crop), model_version),
        )

    def _editor_size(self, newest: PromptRegion, image: Size) -> Size:
        """The image's size as the editor sees it, which the region must have."""
        size = Size(newest.original_height or image.height, newest.original_width or image.width)
        if size.height * size.width > self.settings.max_pixels:
            raise PromptError(
                f"the request says that the image has {size.width}×{size.height} pixels",
                hint="reload the task in Label Studio",
            )
        return size


def begun(request: Request, size: Size) -> SegmentedObject:
    """The object that a prompt begins, before the prompt's clicks.

    Args:
        request: with the prompt.
        size: the image's.

    Raises:
        LabelConfigError: no control can hold it.
        PromptError: it is not on the image.
    """
    prompt, config, label = request.prompt, request.config, request.label
    control = config.mask_control(prompt.newest.to_name, label, prompt.newest.from_name)
    shape = prompt.surrounding if isinstance(prompt, ShapePrompt) else None
    return SegmentedObject(
        region_id=region_id(request.task.get("id"), prompt),
        control=control.name,
        label=region_label(control, label) if control.labels else label,
        start=outline(shape, size) if shape is not None else None,
        outline=shape,
    )


def _holder(config: LabelConfig, to_name: str, shown: SegmentedObject) -> Holder:
    control = config.control(shown.control)
    if control is None:
        raise LabelConfigError(
            f"the labelling config has no control '{shown.control[:100]}' any more",
            hint="reload the task in Label Studio",
        )
    if control.labels or shown.label is None:
        return Holder(control, shown.label)
    labels = config.label_control(to_name, shown.label)
    return Holder(control, shown.label if labels else None, labels)


def build_service(settings: Settings, metrics: Metrics, journal: Journal) -> SegmentationService:
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
        cleanup=settings.cleanup,
        runtime=settings.runtime,
    )
    service = SegmentationService(settings, predictor, metrics, journal=journal)
    service.warm_up()
    return service
