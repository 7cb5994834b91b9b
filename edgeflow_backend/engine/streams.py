"""Identifies the annotator behind a request, as well as the task and point ids allow.

Label Studio names no person.
"""

from __future__ import annotations

from edgeflow_backend.engine.schedule import Stream
from edgeflow_backend.protocol.prompt import Prompt


def stream_of(scene: str, prompt: Prompt) -> Stream:
    """The object that a prompt is about.

    Every click on an object re-sends its first point, whose id no other annotator's point has.

    Args:
        scene: Identifies an image in a task.
        prompt: The request's.
    """
    return Stream((scene, prompt.newest.from_name), prompt.ids[0])
