"""Clicks that have done their work: those of a region which the annotator accepted.

The tick that Label Studio draws on the canvas accepts a region and leaves its points, so they come
back with the next object's clicks (label-studio-ml-backend#588). A region's id is a hash of the ids
of its clicks, so a prefix of the clicks whose id stands among the accepted regions is spent.
"""

from __future__ import annotations

from edgeflow.errors import PromptError
from edgeflow_backend.protocol import ClickPrompt, JSONObject, KeyPoint
from edgeflow_backend.regions import region_id


def accepted_ids(task: JSONObject) -> frozenset[str]:
    """Ids of the regions in a task's drafts and annotations; their masks are not looked at."""
    found = []
    for kind in ("drafts", "annotations"):
        for holder in _objects(task.get(kind)):
            found += [region.get("id") for region in _objects(holder.get("result"))]
    return frozenset(key for key in found if isinstance(key, str))


def drop_spent(prompt: ClickPrompt, task: JSONObject) -> ClickPrompt:
    """The prompt without the clicks of accepted regions.

    Raises:
        PromptError: no click is left.
    """
    accepted = accepted_ids(task)
    points = prompt.points
    while accepted and points and (count := _spent(points, task, accepted)):
        points = points[count:]
    if not points:
        raise PromptError(
            "all clicks belong to regions that are accepted already",
            hint="click on the next object, or delete the old points",
        )
    return ClickPrompt(points)


def _spent(points: tuple[KeyPoint, ...], task: JSONObject, accepted: frozenset[str]) -> int:
    """Length of the longest prefix of ``points`` that made an accepted region."""
    for count in range(len(points), 0, -1):
        if region_id(task.get("id"), ClickPrompt(points[:count])) in accepted:
            return count
    return 0


def _objects(value: object) -> list[JSONObject]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
