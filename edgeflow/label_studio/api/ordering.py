"""The order in which Label Studio serves tasks: predictions that hold a place in it.

With *Uncertainty sampling*, the next task is one that has a prediction of the project's
``model_version``: of the ``cluster`` of which its annotator has submitted the fewest tasks, the one
with the lowest ``score`` (Label Studio 1.23.2, ``projects/functions/next_task.py``).

Who opens a task from the Data Manager gets the prediction of that version, whatever others there
are. So a prediction that holds a place repeats the regions of the one that would be shown without
it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from edgeflow.label_studio.api.client import LabelStudioAPI
from edgeflow.label_studio.api.transport import Params
from edgeflow.label_studio.values import JSONObject, whole_number

UNCERTAINTY = "Uncertainty sampling"
"""As a project's ``sampling`` says it."""

DIGITS = 4
"""Of a score."""

_PATH = "/api/predictions/"
_PREDICTIONS, _VERSIONS = "total_predictions", "predictions_model_versions"
_FIELDS = f"id,data,total_annotations,{_PREDICTIONS},{_VERSIONS}"


@dataclass(frozen=True)
class Place:
    """A task's place in the order.

    Attributes:
        score: The lower, the sooner; 0 to 1.
        cluster: Kind of task, from 0; kinds take turns.
    """

    score: float
    cluster: int


@dataclass(frozen=True)
class Head:
    """A task without what stands in it.

    Attributes:
        id: Its id.
        data: What it shows.
        annotated: Whether it has an annotation.
        predicted: Whether it has a prediction.
        placed: Whether it seems to have one that holds a place.
    """

    id: int
    data: JSONObject
    annotated: bool
    predicted: bool
    placed: bool


def task_heads(api: LabelStudioAPI, project: int, version: str) -> Iterator[Head]:
    """A project's tasks.

    Args:
        api: The project's Label Studio.
        project: Its id.
        version: Model version of the predictions that hold places.

    Raises:
        LabelStudioError: There is no answer, or not the expected one.
    """
    query: Params = {"project": project, "include": _FIELDS, "resolve_uri": "false"}
    for raw in api.pages("/api/tasks/", query, key="tasks"):
        number, data = whole_number(raw.get("id")), raw.get("data")
        if number is not None and isinstance(data, dict):
            annotated, predicted = (
                bool(whole_number(raw.get(key))) for key in ("total_annotations", _PREDICTIONS)
            )
            placed = predicted and version in str(raw.get(_VERSIONS))
            yield Head(number, data, annotated, predicted, placed)


def put_place(api: LabelStudioAPI, head: Head, version: str, place: Place) -> bool:
    """Store a task's place; returns whether anything was changed.

    Of a prediction of that version without a cluster, and of all others, nothing is changed.

    Args:
        api: The task's Label Studio.
        head: The task.
        version: Model version of such predictions.
        place: The place.

    Raises:
        LabelStudioError: Label Studio does not take it.
    """
    there = _predictions(api, head.id) if head.predicted else []
    held = next((each for each in there if _holds_place(each, version)), None)
    others = [each.get("result") for each in there if not _holds_place(each, version)]
    shown: object = next((regions for regions in reversed(others) if regions), [])
    wanted: JSONObject = {
        "score": round(place.score, DIGITS), "cluster": place.cluster, "result": shown
    }  # fmt: skip
    if held is None:
        api.post(_PATH, {"task": head.id, "model_version": version, **wanted})
        return True
    changes = {key: value for key, value in wanted.items() if held.get(key) != value}
    if changes:
        api.patch(f"{_PATH}{held['id']}/", changes)
    return bool(changes)


def _predictions(api: LabelStudioAPI, task: int) -> list[JSONObject]:
    """A task's predictions, the oldest first."""
    body = api.get(_PATH, {"task": task})
    found = [each for each in body if isinstance(each, dict)] if isinstance(body, list) else []
    return sorted(found, key=lambda each: whole_number(each.get("id")) or 0)


def _holds_place(prediction: JSONObject, version: str) -> bool:
    return (
        prediction.get("model_version") == version
        and whole_number(prediction.get("id")) is not None
        and whole_number(prediction.get("cluster")) is not None
    )


def switch_on(api: LabelStudioAPI, project: int, version: str) -> None:
    """Have a project serve its tasks in that order.

    Args:
        api: The project's Label Studio.
        project: Its id.
        version: Model version of the predictions that hold the places; there must be one.

    Raises:
        LabelStudioError: Label Studio does not take it.
    """
    api.patch(f"/api/projects/{project}/", {"sampling": UNCERTAINTY, "model_version": version})
