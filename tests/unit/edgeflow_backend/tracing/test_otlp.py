from __future__ import annotations

import logging
import time

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from edgeflow_backend.tracing.collector import Collector
from edgeflow_backend.tracing.otlp import OTLPTracer
from edgeflow_backend.tracing.spans import inject, span
from tests.unit.edgeflow_backend.loopback import Host, Reply, closed_port, redirect
from tests.unit.edgeflow_backend.tracing.recorder import Recorder, recording

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa01234567"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"


def trace_of(recorder: Recorder, name: str) -> str:
    return f"{recorder.named(name).context.trace_id:032x}"


def test_a_trace_goes_on_where_the_caller_began_it(recorder: Recorder) -> None:
    with recorder.tracer.trace("request", {"traceparent": TRACEPARENT}, {}) as begun:
        assert begun.trace_id == TRACE
    (parent,) = [recorder.named("request").parent]
    assert parent is not None
    assert (trace_of(recorder, "request"), f"{parent.span_id:016x}") == (TRACE, PARENT)


def test_a_caller_that_keeps_no_trace_has_none_kept_here(recorder: Recorder) -> None:
    carrier = {"traceparent": f"00-{TRACE}-{PARENT}-00"}
    with recorder.tracer.trace("request", carrier, {}), span("click"):
        assert inject()["traceparent"].endswith("-00")
    assert recorder.spans() == []


@pytest.mark.parametrize(
    "text",
    ["", "x", "00-0-0-01", f"00-{'0' * 32}-{PARENT}-01", f"ff-{TRACE}-{PARENT}-01", "é" * 9000],
    ids=["empty", "word", "short", "zeros", "version", "long"],
)
def test_a_malformed_traceparent_begins_a_trace_of_its_own(recorder: Recorder, text: str) -> None:
    with recorder.tracer.trace("request", {"traceparent": text, "tracestate": text}, {}):
        pass
    assert recorder.named("request").parent is None
    assert trace_of(recorder, "request") != TRACE


def test_another_process_goes_on_with_what_is_injected(recorder: Recorder) -> None:
    with recording() as replica:
        with recorder.tracer.trace("request", {}, {}), span("network"):
            carrier = dict(inject())
        with replica.tracer.trace("replica", carrier, {}), span("network step"):
            pass
        parent = replica.named("replica").parent
        assert parent is not None
        assert parent.span_id == recorder.named("network").context.span_id
        assert parent.is_remote
        assert trace_of(replica, "network step") == trace_of(recorder, "request")
    assert set(carrier) <= {"traceparent", "tracestate"}


def test_what_is_past_gets_its_place_in_time(recorder: Recorder) -> None:
    with recorder.tracer.trace("request", {}, {}) as request:
        before = time.time_ns()
        request.past("queue", 0.25, batch=3)
        after = time.time_ns()
    queue = recorder.named("queue")
    assert queue.start_time is not None
    assert queue.end_time is not None
    assert before <= queue.end_time <= after
    assert queue.end_time - queue.start_time == 250_000_000
    assert recorder.attributes("queue") == {"edgeflow.batch": 3}
    assert recorder.tree()["queue"] == "request"


def test_words_are_cleaned_in_case_one_holds_a_secret(recorder: Recorder) -> None:
    with recorder.tracer.trace("request", {}, {}), span("image", url="http://u:pw@h/a.jpg?sig=1"):
        pass
    assert recorder.attributes("image") == {"edgeflow.url": "http://h/a.jpg"}


def test_the_service_has_its_name_or_the_operators(monkeypatch: pytest.MonkeyPatch) -> None:
    with recording() as ours, ours.tracer.trace("request", {}, {}):
        pass
    monkeypatch.setenv("OTEL_SERVICE_NAME", "masks")
    with recording() as theirs, theirs.tracer.trace("request", {}, {}):
        pass
    names = [each.named("request").resource.attributes["service.name"] for each in (ours, theirs)]
    assert names == ["edgeflow-backend", "masks"]


class Sent:
    """A tracer that really sends, and what it was told."""

    def __init__(self, url: str) -> None:
        self.told: list[tuple[int, str]] = []
        collector = Collector(url, {"authorization": "Bearer s3cr3t"})
        self._tracer = OTLPTracer(collector, lambda *told: self.told.append(told))

    def one(self) -> float:
        """Send one span; return the seconds that the traced work took."""
        begun = time.monotonic()
        with self._tracer.trace("request", {}, {"http.route": "/predict"}):
            pass
        seconds = time.monotonic() - begun
        self._tracer.close()
        return seconds


def test_a_collector_gets_the_spans_and_its_header_fields(host: Host) -> None:
    host.routes["/v1/traces"] = Reply()
    sent = Sent(f"{host.url}/v1/traces")
    sent.one()
    (received,) = host.asked("/v1/traces")
    assert received.headers["authorization"] == "Bearer s3cr3t"
    (resource,) = ExportTraceServiceRequest.FromString(received.body).resource_spans
    (span,) = resource.scope_spans[0].spans
    assert span.name == "request"
    assert sent.told == [(1, "")]


def test_a_collector_that_refuses_loses_the_spans_and_says_why(
    host: Host, capfd: pytest.CaptureFixture[str]
) -> None:
    host.routes["/v1/traces"] = Reply(401)
    sent = Sent(f"{host.url}/v1/traces")
    sent.one()
    ((count, reason),) = sent.told
    assert count == 1
    assert "401" in reason
    assert "s3cr3t" not in reason
    assert capfd.readouterr() == ("", "")  # the SDK's own lines would come with every delivery


def test_a_redirect_is_no_delivery_and_carries_the_token_nowhere(host: Host) -> None:
    host.routes["/v1/traces"] = redirect(f"{host.url}/elsewhere")
    sent = Sent(f"{host.url}/v1/traces")
    sent.one()
    ((_, reason),) = sent.told
    assert "redirects" in reason
    assert host.asked("/elsewhere") == []


def test_a_collector_that_is_not_there_costs_the_work_nothing() -> None:
    sent = Sent(f"http://127.0.0.1:{closed_port()}/v1/traces")
    assert sent.one() < 0.5
    ((count, reason),) = sent.told
    assert count == 1
    assert "refused" in reason


def test_the_logger_of_the_sdk_is_left_to_us() -> None:
    with recording():
        log = logging.getLogger("opentelemetry.sdk.trace.export.in_memory_span_exporter")
        assert not log.propagate
