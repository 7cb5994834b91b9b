"""Which accepted objects a version is judged on, and which it may learn from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import NamedTuple

from edgeflow.learning.accepted import AcceptedObject

HELD_OUT = 0.2
"""Share of the tasks that are held out."""

_SPACE = 1 << 32


class Split(NamedTuple):
    """Objects to learn from, and objects to judge by, which share no picture.

    Attributes:
        training: Learnt from.
        held_out: Never learnt from.
    """

    training: tuple[AcceptedObject, ...]
    held_out: tuple[AcceptedObject, ...]


def is_held_out(task: int) -> bool:
    """Whether a task is one of those that are held out.

    It follows from the task's id alone, so that it is never drawn anew: whatever is added to the
    project, or read again, nothing that was once judged by is ever learnt from.

    Args:
        task: The task's id.
    """
    digest = hashlib.sha256(f"held out 1 {task}".encode()).digest()
    return int.from_bytes(digest[:4], "big") < HELD_OUT * _SPACE


def split(objects: Iterable[AcceptedObject]) -> Split:
    """Part accepted objects.

    A picture that also stands in a task that is held out is not learnt from in any other task.

    Args:
        objects: Those that count; see :attr:`.Origin.counts`.
    """
    everything = tuple(objects)
    held_out = tuple(each for each in everything if is_held_out(each.origin.task))
    pictures = {each.picture for each in held_out}
    training = tuple(
        each
        for each in everything
        if not is_held_out(each.origin.task) and each.picture not in pictures
    )
    return Split(training, held_out)
