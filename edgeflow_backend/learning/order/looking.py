"""What a project's network makes of its tasks' images, by clicks that nobody made."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from edgeflow.arrays import FloatArray
from edgeflow.errors import LabelConfigError
from edgeflow.geometry import ImagePoint
from edgeflow.label_studio.config.label_config import LabelConfig
from edgeflow.label_studio.values import JSONObject
from edgeflow.learning.likeness.summary import Summariser
from edgeflow.learning.order.certainty import Answer, Sizes, certainty
from edgeflow.nn.interface import NoFeaturesError
from edgeflow.prompts.click import Click
from edgeflow_backend.images.locator import Locator
from edgeflow_backend.images.sources import task_image
from edgeflow_backend.learning.pictures import Pictures
from edgeflow_backend.learning.shelf import OBJECTS, Shelf
from edgeflow_backend.learning.training.watch import base_of
from edgeflow_backend.protocol.project import ProjectRef
from edgeflow_backend.segmenter.local import load_segmenter
from edgeflow_backend.segmenter.segmenter import Clicks, OpenedImage, Segmenter
from edgeflow_backend.settings import Settings
from edgeflow_backend.status.metrics import Metrics

PATIENCE_S = 120.0
"""For an image, and for a click."""

MOST_OBJECTS = 500
"""Of the newest accepted ones, whose sizes are looked at."""


class Looked(NamedTuple):
    """What was made of an image.

    Attributes:
        summary: C float32, what kind of image it is; None where the network does not tell.
        sure: How sure the network is of it, 0 to 1; None where nobody asked.
    """

    summary: FloatArray | None
    sure: float | None


class Looker:
    """Looks at images as clicks do: through the same downloads, with the same weights.

    Attributes:
        sizes: How large the project's objects are; None where that is not known.

    Args:
        settings: The backend's.
        project: The project.
        config: Its labelling config.
        segmenter: Opens images and answers clicks.
    """

    def __init__(
        self, settings: Settings, project: ProjectRef, config: LabelConfig, segmenter: Segmenter
    ) -> None:
        self._project, self._config = project, config
        self._segmenter = segmenter
        self.sizes = usual_sizes(settings, project)
        self._locator = Locator(settings)
        self._summarise = Summariser(base_of(settings, project))
        self._model = segmenter.choose(project, None)

    def look(self, task: int, data: JSONObject, *, clicks: bool) -> Looked:
        """Look at the first image of a task.

        Args:
            task: Its id.
            data: What it shows.
            clicks: Whether to click on it.

        Raises:
            EdgeFlowError: It cannot be opened, or not be clicked on.
        """
        image = self._open(task, data)
        return Looked(self._summary(image), self._sure(image) if clicks else None)

    def _open(self, task: int, data: JSONObject) -> OpenedImage:
        shown = self._config.for_task(data)
        if not shown.images:
            raise LabelConfigError("the labelling config shows no image", hint="add an Image tag")
        url = task_image(data, shown.images[0], None)
        source = self._locator.locate(url, host=self._project.host, task_id=task)
        return self._segmenter.open(source, deadline=time.monotonic() + PATIENCE_S)

    def _summary(self, image: OpenedImage) -> FloatArray | None:
        if image.encoded is None:
            return None
        try:
            return self._summarise(image.encoded.overview)
        except NoFeaturesError:
            return None

    def _sure(self, image: OpenedImage) -> float:
        model = self._segmenter.suited(self._model, image)

        def click(point: ImagePoint) -> Answer:
            deadline = time.monotonic() + PATIENCE_S
            asked = Clicks([Click(point)])
            found = self._segmenter.segment(image, asked, model, deadline=deadline)
            share = int(found.mask.pixels.sum()) / (image.size.height * image.size.width)
            return Answer(share, found.score)

        return certainty(click, image.size, self.sizes)


def usual_sizes(settings: Settings, project: ProjectRef) -> Sizes | None:
    """How large the newest objects are that were accepted in a project; None for too few.

    Raises:
        StoreError: What is kept of it cannot be read.
    """
    shelf = Shelf(settings, Pictures(settings))
    if not (shelf.folder(project) / OBJECTS).is_file():
        return None
    objects = [each for each in shelf.files(project).store.objects() if each.origin.counts]
    objects.sort(key=lambda each: each.origin.created_at)
    return Sizes.of([float(each.mask.mask().mean()) for each in objects[-MOST_OBJECTS:]])


@contextmanager
def looking(settings: Settings, project: ProjectRef, config: LabelConfig) -> Iterator[Looker]:
    """A looker with the network that answers the project's clicks, which is loaded now.

    Raises:
        EdgeFlowError: It cannot be loaded.
    """
    segmenter = load_segmenter(settings, Metrics())
    try:
        segmenter.warm_up()
        yield Looker(settings, project, config, segmenter)
    finally:
        segmenter.close()
