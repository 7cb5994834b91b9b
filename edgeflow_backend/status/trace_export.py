"""Whether traces arrive where they are sent."""

from __future__ import annotations

from edgeflow_backend.log import get_logger
from edgeflow_backend.status.metrics import Metrics


class TraceExport:
    """Counts spans, and logs when they begin to be lost, and when that ends.

    Args:
        metrics: Where they are counted.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._losing = False
        self._log = get_logger()

    def __call__(self, spans: int, reason: str) -> None:
        """Take note of a delivery.

        Args:
            spans: How many.
            reason: Why they were lost; empty if they arrived.
        """
        self._metrics.spans.labels("lost" if reason else "sent").inc(spans)
        if reason and not self._losing:
            self._log.warning("traces are lost; clicks are answered all the same", reason=reason)
        if not reason and self._losing:
            self._log.info("traces arrive again")
        self._losing = bool(reason)
