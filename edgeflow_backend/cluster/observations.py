"""What a replica's engine counts, until a reply takes it to the door, which has the metrics."""

from __future__ import annotations

from collections import deque

from prometheus_client import Counter, Histogram
from typing_extensions import override

from edgeflow_backend.cluster.wire import Observed
from edgeflow_backend.status.metrics import Metrics

KEPT = 10_000
"""Observations of a kind that wait for the next reply; the oldest are forgotten first."""


class ReplicaMetrics(Metrics):
    """Metrics of a replica: what the engine counts can be taken out, once. Thread-safe."""

    def __init__(self) -> None:
        super().__init__()
        self._queue_seconds, self._batch_size, self._superseded = _Values(), _Values(), _Count()
        self.queue_seconds, self.batch_size = self._queue_seconds, self._batch_size
        self.superseded = self._superseded

    def take(self) -> Observed:
        """What was counted since the last time."""
        return Observed(
            self._queue_seconds.take(), self._batch_size.take(), len(self._superseded.take())
        )


def count(observed: Observed, metrics: Metrics) -> None:
    """Add what a replica counted."""
    for seconds in observed.queue_seconds:
        metrics.queue_seconds.observe(seconds)
    for size in observed.batch_sizes:
        metrics.batch_size.observe(size)
    metrics.superseded.inc(observed.superseded)


class _Values(Histogram):
    def __init__(self) -> None:
        super().__init__("replica_values", "Taken by the door.", registry=None)
        self._new: deque[float] = deque(maxlen=KEPT)

    @override
    def observe(self, amount: float, exemplar: dict[str, str] | None = None) -> None:
        self._new.append(amount)

    def take(self) -> tuple[float, ...]:
        return tuple(_drained(self._new))


class _Count(Counter):
    def __init__(self) -> None:
        super().__init__("replica_count", "Taken by the door.", registry=None)
        self._new: deque[float] = deque(maxlen=KEPT)

    @override
    def inc(self, amount: float = 1, exemplar: dict[str, str] | None = None) -> None:
        self._new.append(amount)

    def take(self) -> tuple[float, ...]:
        return tuple(_drained(self._new))


def _drained(values: deque[float]) -> list[float]:
    return [values.popleft() for _ in range(len(values))]
