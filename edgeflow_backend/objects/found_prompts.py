"""Prompts that a task holds already: boxes, points and outlines of people or of other models.

A point may be negative. Predictions keep what the model that made them said; one that said nothing
meant an object. But Label Studio forgets the sign of a smart point that somebody saved and opened
again, so one without it in an annotation may be either, and is not guessed at.
"""

from __future__ import annotations

from typing import NamedTuple

from edgeflow.errors import EdgeFlowError
from edgeflow.label_studio.config.label_config import TaskConfig
from edgeflow.label_studio.values import JSONObject
from edgeflow_backend.objects.task_regions import was_skipped
from edgeflow_backend.protocol.prompt import Prompt
from edgeflow_backend.protocol.prompts import PROMPTS, ClickPrompt, StrokePrompt
from edgeflow_backend.protocol.regions import made_here
from edgeflow_backend.protocol.wire import objects

MAX_OBJECTS = 50
"""Objects of one task; an image with more is one for a detector of its own."""


class Found(NamedTuple):
    """What a task says of where its objects are.

    Attributes:
        prompts: One an object.
        unsigned: Points that were left out because they may be negative.
    """

    prompts: list[Prompt]
    unsigned: int


def prompts_in(task: JSONObject, config: TaskConfig) -> Found:
    """What a task's newest annotation, or else its newest prediction, says of where objects are.

    Skipped annotations say nothing. Masks are left alone: they are there already. So are regions
    of this backend.

    Args:
        task: The task of a batch call.
        config: The project's labelling config: says which points were made with the smart tool.
    """
    unsigned = 0
    for kind in ("annotations", "predictions"):
        for holder in reversed(objects(task.get(kind))):
            if was_skipped(holder):
                continue
            found = [prompt for r in objects(holder.get("result")) if (prompt := _prompt(r))]
            prompts = [p for p in found if kind == "predictions" or not _may_be_negative(p, config)]
            unsigned += len(found) - len(prompts)
            if prompts:
                return Found(prompts[:MAX_OBJECTS], unsigned)
    return Found([], unsigned)


def _may_be_negative(prompt: Prompt, config: TaskConfig) -> bool:
    """Whether a point of an annotation was a click whose sign Label Studio has forgotten."""
    if not isinstance(prompt, ClickPrompt) or prompt.newest.signed:
        return False
    control = config.control(prompt.newest.from_name)
    return control is None or control.smart


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
