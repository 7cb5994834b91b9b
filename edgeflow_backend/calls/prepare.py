"""What is done when a task is opened, so that its first click finds all ready."""

from __future__ import annotations

from edgeflow.errors import EdgeFlowError
from edgeflow.label_studio.config.label_config import TaskConfig
from edgeflow.label_studio.values import JSONObject
from edgeflow_backend.images.sources import first_images
from edgeflow_backend.label_studio.projects import OPENED_S
from edgeflow_backend.log import get_logger
from edgeflow_backend.protocol.project import ProjectRef
from edgeflow_backend.service import SegmentationService


def prepare(
    service: SegmentationService, task: JSONObject, config: TaskConfig, project: ProjectRef
) -> None:
    """Ask for a task's project and images in the background; never raises.

    Args:
        service: Will be asked about the task.
        task: Label Studio's, with its data.
        config: The labelling config as the task shows it.
        project: The task's.
    """
    service.projects.of(*project, refresh_s=OPENED_S)
    for url in first_images(task["data"], config.images):
        try:
            source = service.locator.locate(url, host=project.host, task_id=task.get("id"))
        except EdgeFlowError as error:  # the first click will be told
            get_logger().debug("not loaded ahead", reason=str(error))
        else:
            service.segmenter.prefetch(source)
