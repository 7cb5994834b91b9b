"""The order in which Label Studio serves tasks: predictions that hold a score and nothing else.

With *Uncertainty sampling*, the next task is one that has a prediction of the project's
``model_version``: of the ``cluster`` of which its annotator has submitted the fewest tasks, the one
with the lowest ``score`` (Label Studio 1.23.2, ``projects/functions/next_task.py``).
"""

from __future__ import annotations

from dataclasses import dataclass

from edgeflow.label_studio.api.client import LabelStudioAPI
from edgeflow.label_studio.values import JSONObject, whole_number

UNCERTAINTY = "Uncertainty sampling"
"""As a project's ``sampling`` says it."""

DIGITS = 4
"""Of a score."""

_PATH = "/api/predictions/"


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
class Placed:
    """A prediction that holds a place.

    Attributes:
        id: The prediction's.
        place: What it says.
    """

    id: int
    place: Place


def find_placed(api: LabelStudioAPI, task: int, version: str) -> Placed | None:
    """The prediction of a task that :func:`put_place` made; None if there is none.

    One that holds a region, or no cluster, is somebody else's, whatever its version.

    Args:
        api: The task's Label Studio.
        task: Its id.
        version: Model version of such predictions.

    Raises:
        LabelStudioError: There is no answer, or not the expected one.
    """
    body = api.get(_PATH, {"task": task})
    for each in body if isinstance(body, list) else ():
        if not isinstance(each, dict) or each.get("model_version") != version:
            continue
        number, cluster = whole_number(each.get("id")), whole_number(each.get("cluster"))
        if not each.get("result") and number is not None and cluster is not None:
            score = each.get("score")
            score = float(score) if isinstance(score, int | float) else 0.0
            return Placed(number, Place(round(score, DIGITS), cluster))
    return None


def put_place(
    api: LabelStudioAPI, task: int, version: str, place: Place, known: Placed | None
) -> bool:
    """Store a task's place; returns whether it was another one, or none, before.

    Args:
        api: The task's Label Studio.
        task: Its id.
        version: Model version of such predictions.
        place: The place.
        known: What :func:`find_placed` found.

    Raises:
        LabelStudioError: Label Studio does not take it.
    """
    place = Place(round(place.score, DIGITS), place.cluster)
    if known is not None and known.place == place:
        return False
    values: JSONObject = {"score": place.score, "cluster": place.cluster}
    if known is not None:
        api.patch(f"{_PATH}{known.id}/", values)
    else:
        api.post(_PATH, {"task": task, "result": [], "model_version": version, **values})
    return True


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
