"""Spent clicks: those that come along with an object's clicks and are not its own.

There are two kinds. The tick that Label Studio draws on the canvas accepts a region and leaves its
points, so they come back with the next object's clicks (label-studio-ml-backend#588). A region's id
is a hash of the ids of the clicks that began it, and its record lists those that refined it; so
clicks at the beginning of a request that made a region in the task's drafts or annotations are
spent.

And points that nobody accepted are saved in drafts and annotations. When the task is opened again,
the editor shows them, has forgotten whether they were positive, and sends them before every click.
A point that is merely saved is another matter: a draft is saved five seconds after a click, so a
slow annotator's next click finds the first one there, and both still carry their signs.
"""

from __future__ import annotations

from dataclasses import replace

from edgeflow.errors import PromptError
from edgeflow_backend.objects.task_regions import TaskRegions
from edgeflow_backend.protocol.prompt import Prompt
from edgeflow_backend.protocol.prompts import ClickPrompt
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
    if not isinstance(prompt, ClickPrompt):
        return prompt
    prompt = _without_ghosts(prompt, regions)
    ids, spent = prompt.ids, 0
    while count := _spent_prefix(ids[spent:], prompt.newest.from_name, task_id, regions):
        spent += count
    if spent == len(ids):
        raise PromptError(
            "all clicks belong to regions that are accepted already",
            hint="click on the next object, or delete the old points",
        )
    return prompt.without(spent)


def _without_ghosts(prompt: ClickPrompt, regions: TaskRegions) -> ClickPrompt:
    """The prompt without points of an earlier visit to the task.

    The newest click is new, and its sign says that the editor sends signs. Clients that send none
    at all mean positive clicks, unless even the newest is an old one.

    Raises:
        PromptError: No click is left.
    """
    points = tuple(point for point in prompt.points if point.signed)
    if not points:
        stored = prompt.newest.id in regions.ids
        points = tuple(p for p in prompt.points if not (stored and p.id in regions.ids))
    if not points:
        raise PromptError(
            "the points are left from an earlier visit, and Label Studio has forgotten whether "
            "they were positive",
            hint="delete them and click again",
        )
    return replace(prompt, points=points)


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
