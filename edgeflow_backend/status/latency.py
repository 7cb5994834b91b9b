"""How long recent predictions took."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from edgeflow_backend.status.failures import Clock, utc_now

MAX_DURATIONS = 200
"""Predictions over which times are summed up."""


@dataclass(frozen=True)
class Speed:
    """How long predictions took.

    Attributes:
        count: of predictions since the start.
        measured: of those, over so many the times are summed up.
        median_ms: milliseconds; None without predictions.
        p95_ms: 95th percentile, likewise.
        last: when the last one was there, UTC.
    """

    count: int
    measured: int
    median_ms: float | None
    p95_ms: float | None
    last: datetime | None


class Durations:
    """How long the last predictions took. Thread-safe."""

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

    def speed(self) -> Speed:
        """Sum up."""
        with self._lock:
            seconds, count, last = list(self._seconds), self._count, self._last
        if not seconds:
            return Speed(count, 0, None, None, last)
        median, p95 = np.percentile(seconds, (50, 95)) * 1000
        return Speed(count, len(seconds), float(median), float(p95), last)
