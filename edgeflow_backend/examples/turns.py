"""Tasks that are being answered, so that none is answered twice at once.

When a task is opened in the editor, Label Studio 1.23 asks twice (the page asks for the task twice,
and no answer is stored yet), and would store what both are answered.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator

STORED_S = 1.0
"""After so long Label Studio has stored an answer, and shows it to whoever asked second."""


class Turns:
    """Who answers which task. Thread-safe."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._busy: set[str] = set()

    @contextlib.contextmanager
    def take(self, task: str, *, deadline: float) -> Iterator[bool]:
        """Answer a task, unless somebody else does: then wait until that is done.

        Args:
            task: Identifies it.
            deadline: Until when to wait, on ``time.monotonic``'s clock.

        Yields:
            Whether the task is to be answered.
        """
        with self._changed:
            first = task not in self._busy
            if first:
                self._busy.add(task)
            else:
                self._changed.wait_for(
                    lambda: task not in self._busy, max(deadline - time.monotonic(), 0.0)
                )
        if not first:
            time.sleep(STORED_S)
        try:
            yield first
        finally:
            if first:
                with self._changed:
                    self._busy.discard(task)
                    self._changed.notify_all()
