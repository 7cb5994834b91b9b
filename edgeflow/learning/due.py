"""When a project's accepted objects are enough to learn from, for the first time and again."""

from __future__ import annotations

import math
from typing import NamedTuple

GROWTH = 1.5
"""Objects that make a training worth while, over those of the last one."""

LITTLE_GROWTH = 1.1
"""The same after one that was refused before anything was learnt, which takes seconds."""

ATTEMPTS = 5
"""Trainings with the same objects that may end without a verdict: killed, or failed."""


class LastTraining(NamedTuple):
    """A project's last training.

    Attributes:
        objects: Accepted objects that there were.
        finished: Whether it came to a verdict, whichever.
        learnt: Whether it learnt; it does not where there is too little to judge by, say.
        attempts: Trainings since the last verdict, this one included.
    """

    objects: int
    finished: bool
    attempts: int
    learnt: bool = True


def due(objects: int, last: LastTraining | None, *, first: int, asked: bool = False) -> bool:
    """Whether a training should begin.

    Args:
        objects: Accepted objects that count.
        last: The last training; None if there was none.
        first: Objects that the first one takes.
        asked: Whether somebody asked for it: then any change is enough, and without one there is
            nothing to find out that is not known.
    """
    if last is None:
        return objects >= (1 if asked else first)
    if not last.finished and last.attempts < ATTEMPTS:
        return objects >= 1
    if asked:
        return objects >= 1 and objects != last.objects
    growth = GROWTH if last.learnt else LITTLE_GROWTH
    return objects >= max(first, math.ceil(growth * last.objects))
