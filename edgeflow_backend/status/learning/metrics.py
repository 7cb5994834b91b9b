"""Gauges of accepted objects, for the projects in the settings and their most frequent labels."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Gauge

from edgeflow_backend.redact.texts import NAME_LENGTH, clean
from edgeflow_backend.status.learning.entry import Learned


class LearningMetrics:
    """What is kept of each project; label names are bounded, see :mod:`edgeflow.learning.effort`.

    Args:
        registry: Where the gauges are.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._objects = Gauge(
            "edgeflow_accepted_objects",
            "Accepted objects whose clicks are on record, by label.",
            ["project", "label"],
            registry=registry,
        )
        self._clicks = Gauge(
            "edgeflow_accepted_clicks",
            "Clicks that these took; a box or lasso counts as one.",
            ["project", "label"],
            registry=registry,
        )
        self._newest = Gauge(
            "edgeflow_accepted_clicks_newest",
            "Clicks per object among the newest of them.",
            ["project", "label"],
            registry=registry,
        )
        self._read = Gauge(
            "edgeflow_accepted_read_timestamp_seconds",
            "When a project's annotations were last read without a failure.",
            ["project"],
            registry=registry,
        )
        self._bytes = Gauge(
            "edgeflow_accepted_bytes",
            "Bytes kept on disk of a project: `objects` and `pictures`.",
            ["project", "what"],
            registry=registry,
        )

    def observe(self, learned: Iterable[Learned]) -> None:
        """Bring the gauges up to date."""
        for gauge in (self._objects, self._clicks, self._newest, self._read, self._bytes):
            gauge.clear()
        for each in learned:
            project = clean(each.project, NAME_LENGTH)
            for effort in each.effort:
                names = (project, clean(effort.label, NAME_LENGTH))
                self._objects.labels(*names).set(effort.objects)
                self._clicks.labels(*names).set(effort.prompts)
                self._newest.labels(*names).set(effort.newest)
            if each.read_at is not None:
                self._read.labels(project).set(each.read_at.timestamp())
            self._bytes.labels(project, "objects").set(each.objects_bytes)
            self._bytes.labels(project, "pictures").set(each.pictures_bytes)
