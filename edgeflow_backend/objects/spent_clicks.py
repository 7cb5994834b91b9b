"""Clicks that have done their work: those of a region which the annotator accepted.

The tick that Label Studio draws on the canvas accepts a region and leaves its points, so they come
back with the next object's clicks (label-studio-ml-backend#588). A region's id is a hash of the ids
of the clicks that began it, and its record lists those that refined it; so clicks that stand at the
beginning of a request and made an accepted region are spent.
"""

from __future__ import annotations

from dataclasses import dataclass

from edgeflow.errors import PromptError
from edgeflow.label_studio.values import JSONObject
from edgeflow_backend.protocol.prompts import ClickPrompt
from edgeflow_backend.protocol.record import read_record
from edgeflow_backend.protocol.regions import region_id
from edgeflow_backend.protocol.wire import objects


@dataclass(frozen=True)
class Accepted:
    """What the regions in a task's drafts and annotations say; their masks are not looked at.

    Attributes:
        regions: their ids.
        records: for each region that has a record, the ids of the prompts that made it.
    """

    regions: frozenset[str]
    records: tuple[frozenset[str], ...]


def accepted(task: JSONObject) -> Accepted:
    """Look through a task's drafts and annotations."""
    ids, records = set(), []
    for kind in ("drafts", "annotations"):
        for holder in objects(task.get(kind)):
            for region in objects(holder.get("result")):
                key = region.get("id")
                if isinstance(key, str):
                    ids.add(key)
                record = read_record(region)
                if record is not None:
                    records.append(record.ids)
    return Accepted(frozenset(ids), tuple(records))


def drop_spent(prompt: ClickPrompt, task: JSONObject) -> ClickPrompt:
    """The prompt without the clicks of accepted regions.

    Raises:
        PromptError: no click is left.
    """
    known = accepted(task)
    points = prompt.points
    while points and (count := _spent(ClickPrompt(points), task, known)):
        points = points[count:]
    if not points:
        raise PromptError(
            "all clicks belong to regions that are accepted already",
            hint="click on the next object, or delete the old points",
        )
    return ClickPrompt(points)


def _spent(prompt: ClickPrompt, task: JSONObject, known: Accepted) -> int:
    """Length of the longest prefix of the clicks that made an accepted region."""
    ids = prompt.ids
    for count in range(len(ids), 0, -1):
        if region_id(task.get("id"), ClickPrompt(prompt.points[:count])) in known.regions:
            return count
        if any(record.issuperset(ids[:count]) for record in known.records):
            return count
    return 0
