"""Prometheus metrics of one application."""

from __future__ import annotations

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

from edgeflow import __version__
from edgeflow_backend.errors import DeadlineError, FetchError, InternalError
from edgeflow_backend.settings import Settings
from edgeflow_backend.status.learning.metrics import LearningMetrics
from edgeflow_backend.status.report import Snapshot

BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 60.0)
QUEUE_BUCKETS = (0.001, 0.0025, 0.005, *BUCKETS)
BATCH_BUCKETS = (1, 2, 4, 8, 16, 32, 64)
SHARED_BUCKETS = (0.0002, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)

KNOWN_ACTIONS = frozenset(
    f"{thing}_{event}"
    for thing in ("ANNOTATION", "ANNOTATIONS", "TASKS", "PROJECT", "LABEL_LINK")
    for event in ("CREATED", "UPDATED", "DELETED")
) | {"START_TRAINING"}
"""Label Studio's webhook actions; others share one label, so that metrics stay bounded."""


class SharedMetrics:
    """What happens between this process and Redis, by what it is used for."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.lookups = Counter(
            "edgeflow_shared_lookups",
            "Values looked up in Redis: `hit`, `miss`, or `refused` since it was wrong.",
            ["use", "outcome"],
            registry=registry,
        )
        self.errors = Counter(
            "edgeflow_shared_errors",
            "What Redis did not do, by reason; `dropped` and `too large` were never sent.",
            ["use", "reason"],
            registry=registry,
        )
        self.nbytes = Counter(
            "edgeflow_shared_bytes",
            "Bytes of values `read` and `written`.",
            ["use", "direction"],
            registry=registry,
        )
        self.seconds = Histogram(
            "edgeflow_shared_seconds",
            "Time until Redis answered, or was given up.",
            ["use", "operation"],
            buckets=SHARED_BUCKETS,
            registry=registry,
        )
        self.breaker = Gauge(
            "edgeflow_shared_breaker",
            "Whether Redis is asked: 0 yes, 1 one call tries it, 2 not for now.",
            ["use"],
            registry=registry,
        )


class Metrics:
    """Counters, histograms and gauges of one application, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.predictions = Counter(
            "edgeflow_predictions",
            "Interactive predictions by outcome: `ok`, or the code of what went wrong.",
            ["outcome"],
            registry=self.registry,
        )
        self.steps = Counter("edgeflow_network_steps", "Network runs.", registry=self.registry)
        self.seconds = Histogram(
            "edgeflow_prediction_seconds",
            "Interactive predictions, from the parsed request to the region.",
            buckets=BUCKETS,
            registry=self.registry,
        )
        self.queue_seconds = Histogram(
            "edgeflow_queue_seconds",
            "Time until a prediction's first network run, or its answer if it needs none.",
            buckets=QUEUE_BUCKETS,
            registry=self.registry,
        )
        self.batch_size = Histogram(
            "edgeflow_batch_size",
            "Network steps that ran together.",
            buckets=BATCH_BUCKETS,
            registry=self.registry,
        )
        self.superseded = Counter(
            "edgeflow_superseded",
            "Predictions dropped for a newer click on the same object.",
            registry=self.registry,
        )
        self.requests = Counter(
            "edgeflow_http_requests",
            "HTTP requests by endpoint and status.",
            ["endpoint", "status"],
            registry=self.registry,
        )
        self.dropped = Counter(
            "edgeflow_http_dropped",
            "Connections ended without an answer, by reason.",
            ["reason"],
            registry=self.registry,
        )
        self.annotations = Counter(
            "edgeflow_annotation_events",
            "Webhook events by action.",
            ["action"],
            registry=self.registry,
        )
        self.cache_bytes = Gauge(
            "edgeflow_cache_bytes", "Bytes held by a cache.", ["cache"], registry=self.registry
        )
        self.cache_limit_bytes = Gauge(
            "edgeflow_cache_limit_bytes",
            "Most bytes that a cache holds.",
            ["cache"],
            registry=self.registry,
        )
        self.in_progress = Gauge(
            "edgeflow_http_requests_in_progress",
            "HTTP requests that a thread is answering.",
            registry=self.registry,
        )
        self.threads = Gauge(
            "edgeflow_http_threads", "Most requests answered at once.", registry=self.registry
        )
        self.waiting = Gauge(
            "edgeflow_waiting_predictions",
            "Predictions that wait for the network, running ones included.",
            registry=self.registry,
        )
        self.queue_limit = Gauge(
            "edgeflow_queue_limit",
            "Most predictions that wait; more are refused.",
            registry=self.registry,
        )
        self.ready = Gauge(
            "edgeflow_model_ready", "1 once the model is warm, else 0.", registry=self.registry
        )
        self.model = Gauge(
            "edgeflow_model_info",
            "1, labelled with what answers.",
            ["backend", "version", "runtime"],
            registry=self.registry,
        )
        self.image_seconds = Histogram(
            "edgeflow_image_seconds",
            "Getting an image ready, by stage: `download`, `decode`; failures count, too.",
            ["stage"],
            buckets=BUCKETS,
            registry=self.registry,
        )
        self.spans = Counter(
            "edgeflow_trace_spans",
            "Spans by what became of them: `sent` or `lost`.",
            ["outcome"],
            registry=self.registry,
        )
        self.shared = SharedMetrics(self.registry)
        self.learning = LearningMetrics(self.registry)
        ProcessCollector(registry=self.registry)
        self._begin_at_zero()

    def count_event(self, action: str) -> None:
        """Count a webhook event."""
        self.annotations.labels(action if action in KNOWN_ACTIONS else "other").inc()

    def note_limits(self, settings: Settings) -> None:
        """Show the settings that the gauges are to be compared with."""
        self.threads.set(settings.http_threads)
        self.queue_limit.set(settings.queue_limit)

    def observe(self, snapshot: Snapshot) -> None:
        """Bring the gauges of model, queue and accepted objects up to date."""
        self.learning.observe(snapshot.learning)
        ready = snapshot.state == "ready"
        self.ready.set(ready)
        self.waiting.set(snapshot.waiting)
        self.model.clear()
        if ready:
            self.model.labels(__version__, snapshot.version, snapshot.runtime).set(1)

    def _begin_at_zero(self) -> None:
        """Show what alerts count: Prometheus sees no increase in a series that begins with 1."""
        for outcome in ("ok", InternalError.code, FetchError.code, DeadlineError.code):
            self.predictions.labels(outcome)
        for status in ("200", "401", "500", "503"):
            self.requests.labels("predict", status)
        for outcome in ("sent", "lost"):
            self.spans.labels(outcome)

    def render(self) -> bytes:
        """The metrics in Prometheus' text format."""
        return generate_latest(self.registry)
