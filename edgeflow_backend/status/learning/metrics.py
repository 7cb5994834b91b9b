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
        self._version = Gauge(
            "edgeflow_learnt_version",
            "Number of the version that answers a project's clicks; 0 for the base weights.",
            ["project"],
            registry=registry,
        )
        self._versions = Gauge(
            "edgeflow_learnt_versions",
            "Versions that are kept of a project, by state.",
            ["project", "state"],
            registry=registry,
        )
        self._measured = Gauge(
            "edgeflow_learnt_version_clicks",
            "Mean clicks to an IoU that the gate found, of the version that is served: `before` "
            "with the base weights and `after`.",
            ["project", "objects", "target", "weights"],
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
        gauges = (self._objects, self._clicks, self._newest, self._read, self._bytes)
        for gauge in (*gauges, self._version, self._versions, self._measured):
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
            self._observe_versions(project, each)

    def _observe_versions(self, project: str, learned: Learned) -> None:
        answering = [each for each in learned.versions if each.name == learned.answers]
        self._version.labels(project).set(answering[0].number if answering else 0)
        for each in learned.versions:
            self._versions.labels(project, each.state).inc()
        for version in answering:
            for found in version.measured:
                for target, (before, after) in found.clicks.items():
                    names = (project, found.what, str(target))
                    self._measured.labels(*names, "before").set(before)
                    self._measured.labels(*names, "after").set(after)
