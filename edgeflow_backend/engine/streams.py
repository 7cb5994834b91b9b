"""Whose request it is, as far as Label Studio says: it names the task and the points, no person."""

from __future__ import annotations

from collections.abc import Hashable

from edgeflow_backend.engine.schedule import Stream
from edgeflow_backend.protocol.prompts import ClickPrompt, Prompt


def stream_of(scene: str, prompt: Prompt) -> Stream:
    """The object that a prompt is about.

    Every click on an object re-sends its first point, whose id no other annotator's point has.

    Args:
        scene: tells apart images in tasks.
        prompt: clicks, or what was drawn.
    """
    return Stream((scene, prompt.newest.from_name), prompt.ids[0])


def marks_of(prompt: Prompt) -> frozenset[Hashable]:
    """What the prompt says, place and sign of each point under its id; comparable as sets.

    Empty where a client sends no ids: then two requests may be two annotators', and none must
    stand for the other.
    """
    if not isinstance(prompt, ClickPrompt):
        shape = prompt.shape
        return frozenset({(shape.id, shape.value.model_dump_json())}) if shape.id else frozenset()
    if not all(point.id for point in prompt.points):
        return frozenset()
    return frozenset((p.id, p.value.x, p.value.y, p.positive) for p in prompt.points)
