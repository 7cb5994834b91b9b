"""Label Studio's events: what the status page learns from them.

An event holds whole annotations, and secrets of its project; nothing of it is kept but ids.
"""

from __future__ import annotations

from dataclasses import dataclass

from edgeflow.errors import EdgeFlowError
from edgeflow.label_studio.config.label_config import LabelConfig, parse_label_config
from edgeflow.label_studio.values import JSONObject
from edgeflow_backend.errors import MalformedRequestError
from edgeflow_backend.log import get_logger
from edgeflow_backend.objects.task_regions import was_skipped
from edgeflow_backend.protocol.project import ProjectRef
from edgeflow_backend.protocol.wire import objects
from edgeflow_backend.repair.lost import find_lost
from edgeflow_backend.status.journal import Journal

TRAIN = "START_TRAINING"

_STORED = ("ANNOTATION_CREATED", "ANNOTATION_UPDATED", "ANNOTATIONS_CREATED")

MAX_CLICKS = 1000
"""More clicks than anybody makes on one object; here it does not matter what the settings allow."""

_NOT_TRAINED = "nothing was trained: this backend does not train while people annotate"
_HOW = "export the project as JSON and run `edgeflow train training/your_data.toml` on it"


@dataclass(frozen=True)
class Event:
    """An event.

    Attributes:
        action: Label Studio's name of it.
        content: The request's body without the action.
        project: The project.
    """

    action: str
    content: JSONObject
    project: ProjectRef

    @classmethod
    def parse(cls, body: JSONObject, host: str, action: str | None = None) -> Event:
        """Read the body of an event's request.

        Args:
            body: Untrusted.
            host: Name of the Label Studio that sends it.
            action: What the route says already; otherwise the body must.

        Raises:
            MalformedRequestError: There is no action.
        """
        named = body.pop("action", None) if action is None else action
        if not isinstance(named, str):
            raise MalformedRequestError(
                "a webhook needs an `action`", hint='send {"action": "ANNOTATION_CREATED", …}'
            )
        project = body.get("project")
        key = project.get("id") if isinstance(project, dict) else project
        return cls(named, body, ProjectRef.parse(key, host))


def take_note(event: Event, journal: Journal) -> None:
    """Tell the status page what an event says; never raises."""
    log, project = get_logger(), str(event.project)
    try:
        if event.action == TRAIN:
            journal.calls.note(project, "training", _NOT_TRAINED, _HOW)
        elif event.action in _STORED:
            _examine(event, journal)
        elif event.action == "ANNOTATIONS_DELETED":
            journal.lost.forget(project, _ids(event.content, "annotations"))
        elif event.action == "TASKS_DELETED":
            journal.lost.forget_tasks(project, _ids(event.content, "tasks"))
    except Exception:
        # Label Studio sends events while an annotator waits, and does nothing about an error.
        log.exception("event not examined")


def _examine(event: Event, journal: Journal) -> None:
    """Look for prompts without masks in the annotations that were stored."""
    tasks = {str(task.get("id")): task.get("data") for task in _listed(event.content, "task")}
    project = str(event.project)
    try:
        config = parse_label_config(_label_config(event))
        for annotation in _listed(event.content, "annotation"):
            task, key = annotation.get("task"), annotation.get("id")
            if not was_skipped(annotation) and _has_lost(
                annotation.get("result"), config, task, tasks.get(str(task))
            ):
                journal.lost.note(project, key, task)
            else:
                journal.lost.forget(project, [key])
    except EdgeFlowError as error:
        get_logger().info("annotation not examined", code=error.code, message=error.message)


def _has_lost(result: object, config: LabelConfig, task: object, data: object) -> bool:
    shown = config.for_task(data if isinstance(data, dict) else None)
    return bool(find_lost(result, shown, task, max_clicks=MAX_CLICKS))


def _label_config(event: Event) -> object:
    project = event.content.get("project")
    return project.get("label_config") if isinstance(project, dict) else None


def _ids(content: JSONObject, name: str) -> list[object]:
    return [each.get("id") for each in _listed(content, name)]


def _listed(content: JSONObject, name: str) -> list[JSONObject]:
    """An object, or the objects of a list: Label Studio sends either."""
    value = content.get(name)
    return [value] if isinstance(value, dict) else objects(value)
