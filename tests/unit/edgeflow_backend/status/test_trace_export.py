from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families
from structlog.testing import capture_logs

from edgeflow_backend.status.metrics import Metrics
from edgeflow_backend.status.trace_export import TraceExport


def test_spans_are_counted_and_a_change_is_logged_once() -> None:
    metrics = Metrics()
    with capture_logs() as lines:
        told = TraceExport(metrics)
        for spans, reason in ((5, ""), (3, "refused"), (4, "refused"), (1, ""), (2, "")):
            told(spans, reason)
    assert [(line["log_level"], line.get("reason")) for line in lines] == [
        ("warning", "refused"),
        ("info", None),
    ]
    text = metrics.render().decode()
    counts = {
        sample.labels["outcome"]: sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "edgeflow_trace_spans_total"
    }
    assert counts == {"sent": 8, "lost": 7}
