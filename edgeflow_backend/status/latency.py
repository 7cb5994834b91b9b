"""How long recent predictions took."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from edgeflow_backend.status.failures import Clock, utc_now

MAX_DURATIONS = 200
"""Predictions over which the percentiles are computed."""


@dataclass(frozen=True)
class LatencySummary:
    """How long predictions took.

    Attributes:
        count: Predictions since the start.
        measured: Predictions behind the percentiles, at most :data:`MAX_DURATIONS`.
        median_ms: Median in milliseconds; None without predictions.
        p95_ms: 95th percentile in milliseconds; None without predictions.
        last: When the last prediction was done, UTC; None without predictions.
    """

    count: int
    measured: int
    median_ms: float | None
    p95_ms: float | None
    last: datetime | None


class Latency:
    """Durations of the last predictions. Thread-safe."""

    def __init__(self, clock: Clock = utc_now) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._seconds: deque[float] = deque(maxlen=MAX_DURATIONS)
        self._count = 0
        self._last: datetime | None = None

    def add(self, seconds: float) -> None:
        """Note a prediction that took ``seconds``, from the parsed request to the region."""
        now = self._clock()
        with self._lock:
            self._seconds.append(seconds)
            self._count += 1
            self._last = now

    def summary(self) -> LatencySummary:
        """Summarise the durations."""
        with self._lock:
            seconds, count, last = list(self._seconds), self._count, self._last
        if not seconds:
            return LatencySummary(count, 0, None, None, last)
        median, p95 = np.percentile(seconds, (50, 95)) * 1000
        return LatencySummary(count, len(seconds), float(median), float(p95), last)
