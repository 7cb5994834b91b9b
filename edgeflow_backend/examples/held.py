"""A project's library while the backend works with it."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from edgeflow.errors import EdgeFlowError
from edgeflow.label_studio.api.heads import TaskHead
from edgeflow_backend.examples.library import Library, Limits, ReadTask

RETRY_S = 300.0
"""How long after a failure a task is read again, if it has not changed."""


@dataclass
class Held:
    """A library in memory, and what is being done about it. Thread-safe.

    Attributes:
        limits: How much it holds.
        library: What is known.
        wrong: Why it could not be stored; mostly nothing.
        asking: Held while Label Studio is asked for the project's tasks.
    """

    limits: Limits
    library: Library
    wrong: str = ""
    asking: threading.Lock = field(default_factory=threading.Lock)
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _failed: dict[tuple[int, str], tuple[float, EdgeFlowError]] = field(default_factory=dict)
    _reading: set[int] = field(default_factory=set)

    def confirm(self, stamps: Mapping[int, str], model: str) -> bool:
        """Drop what holds no more, see :meth:`.Library.confirmed`; returns whether that was any."""
        with self._changed:
            before = self.library
            self.library = before.confirmed(stamps, model)
            return self.library != before

    def due(self, heads: Sequence[TaskHead], now: float) -> list[TaskHead]:
        """The tasks that are to be read, and that nobody reads yet.

        Args:
            heads: The tasks as they are now.
            now: Seconds.
        """
        with self._changed:
            self._failed = {k: v for k, v in self._failed.items() if now - v[0] < RETRY_S}
            done = {(task.id, task.stamp) for task in self.library.tasks} | self._failed.keys()
            return [h for h in heads if (h.id, h.stamp) not in done and h.id not in self._reading]

    def begin(self, task: int) -> bool:
        """Note that a task is being read; returns False if somebody else reads it."""
        with self._changed:
            if task in self._reading:
                return False
            self._reading.add(task)
            return True

    def end(self, task: int, read: ReadTask | None) -> None:
        """Note that a task is being read no more.

        Args:
            task: Its id.
            read: What was read; None for nothing.
        """
        with self._changed:
            self._reading.discard(task)
            self._changed.notify_all()
            if read is not None:
                self.library = self.library.add(read, self.limits)

    def wait(self, heads: Sequence[TaskHead], seconds: float) -> None:
        """Wait while others read some of these tasks, but not for longer than so many seconds."""
        tasks = {head.id for head in heads}
        with self._changed:
            self._changed.wait_for(lambda: not tasks & self._reading, max(seconds, 0.0))

    def fail(self, head: TaskHead, error: EdgeFlowError, now: float) -> None:
        """Note that a task cannot be read as it is."""
        with self._changed:
            self._failed[head.id, head.stamp] = (now, error)

    def failures(self, heads: Sequence[TaskHead]) -> list[tuple[int, EdgeFlowError]]:
        """Which of these tasks could not be read, and why."""
        with self._changed:
            return [
                (head.id, self._failed[head.id, head.stamp][1])
                for head in heads
                if (head.id, head.stamp) in self._failed
            ]
