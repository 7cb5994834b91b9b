"""Prompts that a task holds already: boxes, points and outlines of people or of other models."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import ValidationError

from edgeflow.errors import EdgeFlowError
from edgeflow.label_studio.values import JSONObject
from edgeflow_backend.protocol.prompts import ClickPrompt, Prompt, ShapePrompt
from edgeflow_backend.protocol.regions import made_here
from edgeflow_backend.protocol.wire import Brush, KeyPoint, objects, parse_shape

MAX_OBJECTS = 50
"""Of one task; an image with more is one for a detector of its own."""

POINTS = ("keypointlabels", "keypoint")
OUTLINES = ("rectanglelabels", "rectangle", "ellipselabels", "ellipse", "polygonlabels", "polygon")


def prompts_in(task: JSONObject) -> Iterator[Prompt]:
    """What a task's newest annotation, or else its newest prediction, says of where objects are.

    Masks are left alone: they are there already. So are regions of this backend.

    Args:
        task: of a batch call.
    """
    found = 0
    for region in _newest_result(task):
        prompt = None if made_here(region) else _prompt(region)
        if prompt is not None and found < MAX_OBJECTS:
            found += 1
            yield prompt


def _prompt(region: JSONObject) -> Prompt | None:
    try:
        if region.get("type") in POINTS:
            point = KeyPoint.model_validate(region)
            return ClickPrompt((point,)) if point.positive else None
        if region.get("type") in OUTLINES:
            shape = parse_shape(region)
            return None if isinstance(shape, Brush) else ShapePrompt(shape)
    except (EdgeFlowError, ValidationError):  # not ours to complain about: nobody asked us
        return None
    return None


def _newest_result(task: JSONObject) -> list[JSONObject]:
    for kind in ("annotations", "predictions"):
        for holder in reversed(objects(task.get(kind))):
            regions = objects(holder.get("result"))
            if any(_prompt(region) is not None and not made_here(region) for region in regions):
                return regions
    return []
