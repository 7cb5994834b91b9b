"""Opens the image that a task shows, as its editor shows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgeflow.label_studio.config.controls import ImageTag
from edgeflow_backend.images.fit import fitting
from edgeflow_backend.images.locator import Locator
from edgeflow_backend.images.sources import AsStored, task_image
from edgeflow_backend.protocol.wire import BaseRegion
from edgeflow_backend.segmenter.segmenter import OpenedImage, Segmenter


def open_shown(
    segmenter: Segmenter,
    locator: Locator,
    task: Mapping[str, Any],
    tag: ImageTag,
    region: BaseRegion,
    *,
    host: str,
    deadline: float,
) -> OpenedImage:
    """Open an image of a task.

    Args:
        segmenter: Opens it.
        locator: Finds it.
        task: Label Studio's, with ``id`` and ``data``.
        tag: The image's tag in the labelling config.
        region: A region on it, which says which of the tag's images it is, and its size.
        host: Name of the task's Label Studio.
        deadline: On ``time.monotonic``'s clock.

    Raises:
        EdgeFlowError: It cannot be opened, or has another size.
    """
    url = task_image(task["data"], tag, region.item_index)
    source = locator.locate(url, host=host, task_id=task.get("id"))

    def opened(stored: bool) -> OpenedImage:
        return segmenter.open(AsStored(source) if stored else source, deadline=deadline)

    return fitting(region.original_width, region.original_height, opened)
