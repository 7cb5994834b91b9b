"""Prompts that a task holds already: boxes, points and outlines of people or of other models."""

from __future__ import annotations

from collections.abc import Iterator

from edgeflow.errors import EdgeFlowError
from edgeflow.label_studio.values import JSONObject
from edgeflow_backend.objects.task_regions import was_skipped
from edgeflow_backend.protocol.prompt import Prompt
from edgeflow_backend.protocol.prompts import PROMPTS, ClickPrompt, StrokePrompt
from edgeflow_backend.protocol.regions import made_here
from edgeflow_backend.protocol.wire import objects

MAX_OBJECTS = 50
"""Objects of one task; an image with more is one for a detector of its own."""


def prompts_in(task: JSONObject) -> Iterator[Prompt]:
    """What a task's newest annotation, or else its newest prediction, says of where objects are.

    Skipped annotations say nothing. Masks are left alone: they are there already. So are regions
    of this backend.

    Args:
        task: The task of a batch call.
    """
    for kind in ("annotations", "predictions"):
        for holder in reversed(objects(task.get(kind))):
            if was_skipped(holder):
                continue
            prompts = [prompt for r in objects(holder.get("result")) if (prompt := _prompt(r))]
            if prompts:
                yield from prompts[:MAX_OBJECTS]
                return


def _prompt(region: JSONObject) -> Prompt | None:
    kind = PROMPTS.get(str(region.get("type")))
    if kind is None or kind is StrokePrompt or made_here(region):
        return None
    try:
        prompt = kind.parse([region], max_clicks=1)
    except EdgeFlowError:  # nobody asked this backend about it
        return None
    negative = isinstance(prompt, ClickPrompt) and not prompt.newest.positive
    return None if negative else prompt
