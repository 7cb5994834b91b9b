from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from edgeflow import __version__
from edgeflow_backend.settings import Settings
from edgeflow_backend.status.metrics import Metrics
from edgeflow_backend.status.report import Snapshot


def families(metrics: Metrics) -> dict[str, object]:
    return {
        family.name: family for family in text_string_to_metric_families(metrics.render().decode())
    }


def samples(metrics: Metrics) -> dict[tuple[str, tuple[str, ...]], float]:
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(metrics.render().decode())
        for sample in family.samples
    }


def test_everything_that_is_counted_is_shown_in_prometheus_format() -> None:
    assert {
        "edgeflow_predictions",
        "edgeflow_network_steps",
        "edgeflow_prediction_seconds",
        "edgeflow_queue_seconds",
        "edgeflow_batch_size",
        "edgeflow_superseded",
        "edgeflow_http_requests",
        "edgeflow_annotation_events",
        "edgeflow_cache_bytes",
    } <= families(Metrics()).keys()


def test_counts_appear_with_their_labels() -> None:
    metrics = Metrics()
    metrics.predictions.labels("ok").inc()
    metrics.predictions.labels("ok").inc()
    metrics.predictions.labels("deadline").inc()
    metrics.steps.inc(3)
    metrics.requests.labels("predict", "200").inc()
    metrics.annotations.labels("ANNOTATION_CREATED").inc()
    metrics.cache_bytes.labels("images").set(12)
    shown = samples(metrics)
    assert shown["edgeflow_predictions_total", ("ok",)] == 2
    assert shown["edgeflow_predictions_total", ("deadline",)] == 1
    assert shown["edgeflow_network_steps_total", ()] == 3
    assert shown["edgeflow_http_requests_total", ("predict", "200")] == 1
    assert shown["edgeflow_annotation_events_total", ("ANNOTATION_CREATED",)] == 1
    assert shown["edgeflow_cache_bytes", ("images",)] == 12


def test_durations_fall_into_buckets_that_tell_a_fast_click_from_a_slow_one() -> None:
    metrics = Metrics()
    for seconds in (0.02, 0.3, 30.0, 500.0):
        metrics.seconds.observe(seconds)
    shown = samples(metrics)
    assert shown["edgeflow_prediction_seconds_count", ()] == 4
    assert shown["edgeflow_prediction_seconds_bucket", ("0.1",)] == 1
    assert shown["edgeflow_prediction_seconds_bucket", ("0.4",)] == 2
    assert shown["edgeflow_prediction_seconds_bucket", ("60.0",)] == 3
    assert shown["edgeflow_prediction_seconds_bucket", ("+Inf",)] == 4


def test_two_applications_do_not_share_their_counts() -> None:
    one, other = Metrics(), Metrics()
    one.steps.inc()
    assert samples(other)["edgeflow_network_steps_total", ()] == 0


def test_unknown_webhook_events_share_one_label() -> None:
    metrics = Metrics()
    for action in ("ANNOTATION_CREATED", "START_TRAINING", "x", "y"):
        metrics.count_event(action)
    counts = samples(metrics)
    assert counts["edgeflow_annotation_events_total", ("ANNOTATION_CREATED",)] == 1
    assert counts["edgeflow_annotation_events_total", ("START_TRAINING",)] == 1
    assert counts["edgeflow_annotation_events_total", ("other",)] == 2


def test_what_alerts_count_begins_at_zero() -> None:
    """Prometheus sees no increase in a series that begins with 1."""
    shown = samples(Metrics())
    assert shown["edgeflow_predictions_total", ("internal",)] == 0
    assert shown["edgeflow_predictions_total", ("image_fetch",)] == 0
    assert shown["edgeflow_http_requests_total", ("predict", "503")] == 0
    assert shown["edgeflow_trace_spans_total", ("lost",)] == 0


def test_gauges_show_the_model_and_the_queue_beside_their_limits() -> None:
    metrics = Metrics()
    metrics.note_limits(Settings(http_threads=9, queue_limit=5))
    metrics.observe(Snapshot("loading", "edgeflow_lite"))
    before = samples(metrics)
    assert before["edgeflow_model_ready", ()] == 0
    assert "edgeflow_model_info" not in {name for name, _ in before}
    for version in ("lite-1", "lite-2"):  # replicas may be updated meanwhile
        metrics.observe(Snapshot("ready", version, "OpenVINO", waiting=3))
    shown = samples(metrics)
    assert shown["edgeflow_model_ready", ()] == 1
    assert shown["edgeflow_model_info", (__version__, "OpenVINO", "lite-2")] == 1
    assert [name for name, _ in shown].count("edgeflow_model_info") == 1
    assert shown["edgeflow_waiting_predictions", ()] == 3
    assert (shown["edgeflow_queue_limit", ()], shown["edgeflow_http_threads", ()]) == (5, 9)
