"""Spent clicks: those that already made a region which the annotator accepted.

The tick that Label Studio draws on the canvas accepts a region and leaves its points, so they come
back with the next object's clicks (label-studio-ml-backend#588). A region's id is a hash of the ids
of the clicks that began it, and its record lists those that refined it; so clicks at the beginning
of a request that made a region in the task's drafts or annotations are spent.
"""

from __future__ import annotations

from edgeflow.errors import PromptError
from edgeflow_backend.objects.task_regions import TaskRegions
from edgeflow_backend.protocol.prompt import Prompt
from edgeflow_backend.protocol.regions import region_id


def drop_spent(prompt: Prompt, task_id: object, regions: TaskRegions) -> Prompt:
    """The prompt without its spent clicks.

    Args:
        prompt: The request's; what is drawn is never spent.
        task_id: The request's task.
        regions: The task's regions.

    Raises:
        PromptError: No click is left.
    """
    if prompt.first_click is None:
        return prompt
    ids, spent = prompt.ids, 0
    while count := _spent_prefix(ids[spent:], prompt.newest.from_name, task_id, regions):
        spent += count
    if spent == len(ids):
        raise PromptError(
            "all clicks belong to regions that are accepted already",
            hint="click on the next object, or delete the old points",
        )
    return prompt.without(spent)


def _spent_prefix(
    ids: tuple[str, ...], from_name: str, task_id: object, regions: TaskRegions
) -> int:
    """Length of the longest prefix of the clicks that made an accepted region."""
    for count in range(len(ids), 0, -1):
        prefix = ids[:count]
        if region_id(task_id, from_name, prefix) in regions.ids:
            return count
        if any(record.ids.issuperset(prefix) for record in regions.records):
            return count
    return 0
