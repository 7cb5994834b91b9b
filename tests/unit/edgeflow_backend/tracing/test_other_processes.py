"""A click's trace where images and network are in another process, without that process."""

from __future__ import annotations

import asyncio
import pickle
import time
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from edgeflow.geometry import ImagePoint
from edgeflow.inference.predictor import Predictor
from edgeflow.prompts.click import Click
from edgeflow_backend.cluster.remote import RemoteSegmenter
from edgeflow_backend.cluster.replica import Replica
from edgeflow_backend.cluster.replicas import Fleet
from edgeflow_backend.cluster.serve_replicas import ServeReplicas
from edgeflow_backend.images.sources import InlineSource
from edgeflow_backend.segmenter.local import LocalSegmenter
from edgeflow_backend.segmenter.segmenter import Clicks
from edgeflow_backend.settings import Settings
from edgeflow_backend.status.metrics import Metrics
from tests.unit.edgeflow_backend.loopback import Host, Reply
from tests.unit.edgeflow_backend.samples import disk_png
from tests.unit.edgeflow_backend.tracing.recorder import Recorder

PATH = "/v1/traces"
CLICKS = Clicks((Click(ImagePoint(80, 60)),))


class Handle:
    """In place of Ray's: calls a replica here, with arguments that crossed as bytes."""

    def __init__(self, replica: Replica) -> None:
        self._replica = replica
        self._method = ""

    def options(self, *, method_name: str, session_id: str) -> Handle:  # noqa: ARG002 - Ray's
        called = Handle(self._replica)
        called._method = method_name
        return called

    def remote(self, *arguments: object) -> Handle:
        crossed = pickle.loads(pickle.dumps(arguments))
        self._reply = asyncio.run(getattr(self._replica, self._method)(*crossed))
        return self

    def result(self, timeout_s: float) -> Any:
        assert timeout_s > 0
        return pickle.loads(pickle.dumps(self._reply))


@pytest.fixture
def segmenter(
    predictor: Predictor, host: Host, monkeypatch: pytest.MonkeyPatch
) -> Iterator[RemoteSegmenter]:
    """A door's segmenter, whose replica sends its traces to the host."""
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "20")
    host.routes[PATH] = Reply()
    settings = Settings(traces=host.url)

    def load(settings: Settings, metrics: Metrics, **more: Any) -> LocalSegmenter:
        return LocalSegmenter(settings, predictor, metrics, **more)

    replica = Replica("one", "", settings, load)
    replicas = ServeReplicas(Handle(replica), lambda: Fleet(1, 1))  # type: ignore[arg-type]
    described = replicas.ask("describe", "", None, deadline=time.monotonic() + 10).unpacked()
    yield RemoteSegmenter(Settings(), replicas, described, Metrics())
    replicas.close()
    replica._segmenter.close()


def received(host: Host, names: set[str]) -> dict[str, Any]:
    """The spans that the replica sent, by name, once these are among them."""
    give_up = time.monotonic() + 10
    while True:
        spans = {
            span.name: span
            for each in host.asked(PATH)
            for resource in ExportTraceServiceRequest.FromString(each.body).resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        }
        if names <= spans.keys() or time.monotonic() > give_up:
            return spans
        time.sleep(0.01)


def test_a_replica_goes_on_with_the_doors_trace(
    segmenter: RemoteSegmenter, recorder: Recorder, host: Host
) -> None:
    deadline = time.monotonic() + 30
    image = segmenter.open(InlineSource(disk_png()), deadline=deadline)  # untraced
    with recorder.tracer.trace("POST /predict", {}, {}):
        segmenter.segment(image, CLICKS, segmenter.default, deadline=deadline)
    call = recorder.named("call")
    assert recorder.tree() == {"POST /predict": "", "call": "POST /predict"}
    assert recorder.attributes("call") == {"edgeflow.method": "segment"}
    spans = received(host, {"replica", "network", "queue", "network step"})
    assert {span.trace_id.hex() for span in spans.values()} == {f"{call.context.trace_id:032x}"}
    assert spans["replica"].parent_span_id.hex() == f"{call.context.span_id:016x}"
    assert spans["network"].parent_span_id == spans["replica"].span_id
    assert spans["network step"].parent_span_id == spans["network"].span_id
    assert "decode" not in spans  # of the call that belongs to no trace
