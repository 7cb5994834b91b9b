"""Writes in a thread of its own, from a queue that forgets its oldest when it is full."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

from edgeflow_backend.log import get_logger

Write = Callable[[], None]


class Writer:
    """Runs writes one after the other. Thread-safe; adding never blocks.

    Args:
        max_bytes: Most bytes that wait.
        max_depth: Most writes that wait.
        on_drop: Called for each write that is dropped.
    """

    def __init__(self, max_bytes: int, max_depth: int, on_drop: Callable[[], None]) -> None:
        self._max_bytes, self._max_depth, self._on_drop = max_bytes, max_depth, on_drop
        self._waiting: deque[tuple[Write, int]] = deque()
        self._nbytes = 0
        self._busy = self._closed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="redis writes", daemon=True)
        self._thread.start()

    def add(self, write: Write, nbytes: int) -> None:
        """Queue a write of about so many bytes."""
        dropped = 0
        with self._changed:
            self._waiting.append((write, nbytes))
            self._nbytes += nbytes
            while self._nbytes > self._max_bytes or len(self._waiting) > self._max_depth:
                self._nbytes -= self._waiting.popleft()[1]
                dropped += 1
            self._changed.notify_all()
        for _ in range(dropped):
            self._on_drop()

    def flush(self, timeout_s: float) -> bool:
        """Wait until nothing is left to write; False if that takes too long."""
        deadline = time.monotonic() + timeout_s
        with self._changed:
            return self._changed.wait_for(
                lambda: not self._waiting and not self._busy,
                timeout=max(deadline - time.monotonic(), 0),
            )

    def close(self) -> None:
        """Stop after the write under way; the rest is lost."""
        with self._changed:
            self._closed = True
            self._waiting.clear()
            self._changed.notify_all()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._busy = False
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._waiting or self._closed)
                if self._closed:
                    return
                write, nbytes = self._waiting.popleft()
                self._nbytes -= nbytes
                self._busy = True
            try:
                write()
            except Exception as error:  # noqa: BLE001 - a defect here must cost no click
                get_logger().error("not shared", exc_info=error)
