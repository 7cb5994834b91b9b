"""Identifies the annotator behind a request, as well as the task and point ids allow.

Label Studio does not name the person.
"""

from __future__ import annotations

from collections.abc import Hashable

from edgeflow_backend.engine.schedule import Stream
from edgeflow_backend.protocol.prompts import ClickPrompt, Prompt


def stream_of(scene: str, prompt: Prompt) -> Stream:
    """The object that a prompt belongs to.

    Every click on an object re-sends its first point, whose id no other annotator's point has.

    Args:
        scene: Identifies the image in its task.
        prompt: Clicks or a drawn shape.
    """
    return Stream((scene, prompt.newest.from_name), prompt.ids[0])


def marks_of(prompt: Prompt) -> frozenset[Hashable]:
    """Id, position and sign of each point, or the drawn shape, comparable as sets.

    Empty if a client sends no ids: then two requests may come from two annotators, and neither may
    replace the other.
    """
    if not isinstance(prompt, ClickPrompt):
        shape = prompt.shape
        return frozenset({(shape.id, shape.value.model_dump_json())}) if shape.id else frozenset()
    if not all(point.id for point in prompt.points):
        return frozenset()
    return frozenset((p.id, p.value.x, p.value.y, p.positive) for p in prompt.points)
