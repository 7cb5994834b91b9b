"""Traces of the real backend, as a collector of OpenTelemetry's protocol receives them."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from demo.label_studio import free_port, start_backend
from tests.contract.images import TOKEN, serve_images
from tests.contract.test_secrets import SECRET, URLS
from tests.contract.wire import keypoint, request
from tests.unit.edgeflow_backend.loopback import Host, Reply, serve

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACEPARENT = f"00-{TRACE}-00f067aa01234567-01"
PATH = "/otlp/v1/traces"


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """What a collector holds after a backend was clicked on, and told to stop."""
    log = tmp_path_factory.mktemp("traces") / "log"
    command = Path(sys.executable).with_name("edgeflow-backend")
    with serve() as collector, serve_images() as images:
        collector.routes[PATH] = Reply()
        environment = {
            "LABEL_STUDIO_URL": images,
            "LABEL_STUDIO_API_KEY": TOKEN,
            "EDGEFLOW_TRACES": f"{collector.url}/otlp",
            "EDGEFLOW_TRACES_HEADERS": f"authorization=Bearer%20{SECRET}",
            "EDGEFLOW_BASIC_AUTH_USER": "anna",
            "EDGEFLOW_BASIC_AUTH_PASSWORD": SECRET,
        }
        with start_backend(command, free_port(), log, environment) as service:
            service.wait(60)
            url = service.health.replace("/health", "/predict")
            for image in ("/data/upload/1/photo.png", *URLS):
                answer = requests.post(
                    f"{url}?token={SECRET}",
                    json=request(keypoint(50, 50), image=image),
                    headers={"traceparent": TRACEPARENT} if image.endswith("photo.png") else {},
                    auth=("anna", SECRET),
                    timeout=30,
                )
                assert answer.ok
            assert requests.get(service.health, timeout=5).ok
        lines = [json.loads(line) for line in log.read_text().splitlines()]
        assert [line["trace"] for line in lines if line["event"] == "region"] == [TRACE]
        yield collector


def spans(collector: Host) -> list[Any]:
    return [
        span
        for received in collector.asked(PATH)
        for resource in ExportTraceServiceRequest.FromString(received.body).resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def test_a_click_arrives_from_http_to_the_network(collector: Host) -> None:
    mine = [span for span in spans(collector) if span.trace_id.hex() == TRACE]
    names = {span.span_id: span.name for span in mine}
    parents = {span.name: names.get(span.parent_span_id, "") for span in mine}
    assert parents == {
        "POST /predict": "",
        "click": "POST /predict",
        "config": "click",
        "image": "click",
        "download": "image",
        "decode": "image",
        "network": "click",
        "queue": "network",
        "network step": "network",
        "encode": "click",
    }
    (request,) = (span for span in mine if span.name == "POST /predict")
    assert request.parent_span_id.hex() == TRACEPARENT.split("-")[2]
    assert all(request.start_time_unix_nano <= span.start_time_unix_nano for span in mine)
    assert all(span.end_time_unix_nano <= request.end_time_unix_nano for span in mine)


def test_every_request_has_its_trace_and_monitoring_has_none(collector: Host) -> None:
    names = [span.name for span in spans(collector) if not span.parent_span_id]
    assert names == ["POST /predict"] * len(URLS)


def test_the_collector_gets_its_token_and_no_secret_else(collector: Host) -> None:
    received = collector.asked(PATH)
    assert {each.headers["authorization"] for each in received} == {f"Bearer {SECRET}"}
    for word in (SECRET, "anna", TOKEN, "photo.png", "cat.jpg"):
        assert all(word.encode() not in each.body for each in received), word
