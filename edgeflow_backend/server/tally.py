"""Counts and logs what the door refuses, one line a second however many there are."""

from __future__ import annotations

import threading
from collections import Counter

from edgeflow_backend.log import get_logger
from edgeflow_backend.server.refusal import RefusalError
from edgeflow_backend.status.metrics import Metrics


class Tally:
    """Refused requests and dropped connections by reason. Thread-safe.

    Args:
        metrics: Where they are counted.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._new: Counter[str] = Counter()
        self._lock = threading.Lock()

    def refuse(self, error: object) -> None:
        """Count a request that never reached the application."""
        if isinstance(error, RefusalError):
            self._metrics.requests.labels("unknown", str(error.status.value)).inc()
            self._add(error.code)

    def count(self, reason: str) -> None:
        """Count a connection that was ended."""
        self._metrics.dropped.labels(reason).inc()
        self._add(reason)

    def write(self) -> None:
        """Log what came since the last time."""
        with self._lock:
            new, self._new = self._new, Counter()
        if new:
            get_logger().warning("connections ended early", **new)

    def _add(self, reason: str) -> None:
        with self._lock:
            self._new[reason] += 1
