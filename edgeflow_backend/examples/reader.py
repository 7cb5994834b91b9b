"""From a task's annotations to descriptions of the examples that they hold."""

from __future__ import annotations

from collections import Counter

from edgeflow import __version__
from edgeflow.errors import LabelConfigError, brief
from edgeflow.geometry import Size
from edgeflow.label_studio.api.client import LabelStudioAPI
from edgeflow.label_studio.api.heads import TaskHead
from edgeflow.label_studio.config.label_config import LabelConfig, TaskConfig
from edgeflow.label_studio.values import JSONObject
from edgeflow.similar.descriptor import Descriptor
from edgeflow_backend.examples.accepted import Accepted, Place, accepted_in
from edgeflow_backend.examples.library import Category, Example, ReadTask
from edgeflow_backend.images.locator import Locator
from edgeflow_backend.objects.task_regions import MaskCache
from edgeflow_backend.protocol.project import ProjectRef
from edgeflow_backend.protocol.wire import BaseRegion
from edgeflow_backend.segmenter.segmenter import Model, OpenedImage, Segmenter
from edgeflow_backend.segmenter.shown import open_shown

EXAMPLES_A_TASK = 4
"""Of one category: a library holds different images rather than many objects of one."""

IMAGES_A_TASK = 8
"""Images of one task that are opened for its examples."""


def describer(version: str) -> str:
    """What describes examples: the weights, and the release that knows what their features are.

    Args:
        version: Of the model.
    """
    return f"{version}, EdgeFlow {__version__}"


class Reader:
    """Describes the examples in tasks.

    Args:
        segmenter: Opens their images and describes them.
        locator: Finds their images.
        masks: Remembers decoded masks.
    """

    def __init__(self, segmenter: Segmenter, locator: Locator, masks: MaskCache) -> None:
        self._segmenter = segmenter
        self._locator = locator
        self._masks = masks

    def model(self, project: ProjectRef) -> Model:
        """The model that describes a project's examples, and finds their like.

        Raises:
            EdgeFlowError: It cannot be used.
        """
        return self._segmenter.choose(project, None)

    def read(
        self,
        api: LabelStudioAPI,
        head: TaskHead,
        config: LabelConfig,
        host: str,
        model: Model,
        *,
        deadline: float,
    ) -> ReadTask:
        """Read a task's annotations, as they are now.

        Args:
            api: Of the task's Label Studio.
            head: The task.
            config: Its project's labelling config.
            host: Name of that Label Studio.
            model: Describes the examples.
            deadline: On ``time.monotonic``'s clock.

        Raises:
            EdgeFlowError: The annotations cannot be read, or an image not be opened.
        """
        shown = config.for_task(head.data)
        counts: Counter[Category] = Counter()
        wanted: dict[Place, list[Accepted]] = {}
        for each in accepted_in(api.task_annotations(head.id)):
            counts[each.category] += 1
            if counts[each.category] <= EXAMPLES_A_TASK and _is_text(each):
                wanted.setdefault(each.place, []).append(each)
        examples: list[Example] = []
        version = model.version  # unless the network is being replaced just now
        for place, objects in list(wanted.items())[:IMAGES_A_TASK]:
            size = objects[0].size
            task = {"id": head.id, "data": head.data}
            image = self.open(task, shown, place, host, size, deadline=deadline)
            masks = [(each, each.mask(image.size, self._masks)) for each in objects]
            shown_masks = [(each, mask) for each, mask in masks if mask is not None]
            found = self._segmenter.describe_examples(
                image, [mask for _, mask in shown_masks], model, deadline=deadline
            )
            examples += [
                Example(each.category, each.annotation, each.object, _as_stored(descriptor))
                for (each, _), descriptor in zip(shown_masks, found.descriptors, strict=True)
            ]
            version = found.model_version
        return ReadTask(head.id, head.stamp, describer(version), tuple(examples))

    def open(
        self,
        task: JSONObject,
        config: TaskConfig,
        place: Place,
        host: str,
        size: Size | None = None,
        *,
        deadline: float,
    ) -> OpenedImage:
        """Open an image of a task.

        Args:
            task: Label Studio's, with ``id`` and ``data``.
            config: The labelling config, as the task shows it.
            place: Which image.
            host: Name of the task's Label Studio.
            size: The image's, as its editor shows it; None where that is not known.
            deadline: On ``time.monotonic``'s clock.

        Raises:
            EdgeFlowError: It cannot be opened, or has another size.
        """
        tag = config.image(place.image)
        if tag is None:
            raise LabelConfigError(
                f"the labelling config has no Image tag named '{brief(place.image)}'",
                hint="check the toName attributes of its controls",
            )
        height, width = size or (None, None)
        region = BaseRegion(
            type="", item_index=place.item, original_width=width, original_height=height
        )
        return open_shown(
            self._segmenter,
            self._locator,
            task,
            tag,
            region,
            host=host,
            deadline=deadline,
        )


def _as_stored(descriptor: Descriptor) -> Descriptor:
    """A descriptor with as many digits as its file has, so that a restart changes no suggestion."""
    return Descriptor.from_json(descriptor.to_json())


def _is_text(accepted: Accepted) -> bool:
    """Whether its names can be written to a file; JSON also holds halves of characters."""
    names = (accepted.object, *accepted.category.labels, accepted.category.control)
    return not any("\ud800" <= character <= "\udfff" for name in names for character in name)
