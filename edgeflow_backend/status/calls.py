"""What Label Studio asked for without a click, and what came of it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from edgeflow_backend.redact.texts import NAME_LENGTH, clean
from edgeflow_backend.status.failures import Clock, utc_now

MAX_CALLS = 200

Kind = Literal["predictions", "training", "examples"]
"""Label Studio's words on its buttons: *Retrieve predictions*, *Start training*; and what is known
of accepted examples.
"""


@dataclass(frozen=True)
class Call:
    """Calls of one kind for one project.

    Attributes:
        project: Project key.
        kind: What was asked for.
        message: What the last one did, and why.
        hint: What can be done about it; empty if it did all that was asked for.
        count: Number of such calls.
        last: When the last one came, UTC.
    """

    project: str
    kind: Kind
    message: str
    hint: str
    count: int
    last: datetime


class Calls:
    """The last calls without a click. Thread-safe."""

    def __init__(self, clock: Clock = utc_now) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._calls: OrderedDict[tuple[str, Kind], Call] = OrderedDict()

    def note(self, project: str, kind: Kind, message: str, hint: str = "") -> None:
        """Remember a call; of earlier ones of its kind and project only the number is kept.

        Args:
            project: Project key.
            kind: What was asked for.
            message: What was done, and why.
            hint: What can be done about it.
        """
        project, message, hint = clean(project, NAME_LENGTH), clean(message), clean(hint)
        now = self._clock()
        with self._lock:
            earlier = self._calls.pop((project, kind), None)
            count = earlier.count + 1 if earlier is not None else 1
            self._calls[project, kind] = Call(project, kind, message, hint, count, now)
            if len(self._calls) > MAX_CALLS:
                self._calls.popitem(last=False)

    def recent(self) -> list[Call]:
        """The remembered calls, newest first."""
        with self._lock:
            return list(reversed(self._calls.values()))
