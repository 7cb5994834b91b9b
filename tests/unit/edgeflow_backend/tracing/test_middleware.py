from __future__ import annotations

from http import HTTPStatus

import pytest
from flask import Flask, Response
from flask.testing import FlaskClient
from opentelemetry.trace import SpanKind, StatusCode

from edgeflow_backend.tracing.middleware import TracedApplication
from edgeflow_backend.tracing.spans import current, span
from tests.unit.edgeflow_backend.tracing.recorder import Recorder

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture
def client(recorder: Recorder) -> FlaskClient:
    """A client of an application that answers every route with the status in its query."""
    app = Flask(__name__)

    @app.before_request
    def answer() -> Response:
        from flask import request  # noqa: PLC0415

        with span("work"):
            return Response(current().trace_id, status=int(request.args.get("status", "200")))

    app.wsgi_app = TracedApplication(app.wsgi_app, recorder.tracer)  # type: ignore[method-assign]
    return app.test_client()


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/predict", "/predict"),
        ("/setup", "/setup"),
        ("/webhook", "/webhook"),
        ("/hosts/team-b/predict", "/hosts/<host>/predict"),
    ],
)
def test_label_studios_requests_are_traced(
    client: FlaskClient, recorder: Recorder, path: str, route: str
) -> None:
    client.post(path)
    request, work = recorder.spans()
    assert request.kind is SpanKind.SERVER
    assert request.name == f"POST /{path.rpartition('/')[2]}"
    assert recorder.attributes(request.name) == {
        "http.request.method": "POST",
        "http.route": route,
        "http.response.status_code": 200,
    }
    assert work.parent == request.context


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/health",
        "/metrics",
        "/status",
        "/s3cr3t",
        "/predict/",
        "/hosts/a/b/predict",
        "//predict",
    ],
)
def test_monitoring_and_what_strangers_make_up_are_not(
    client: FlaskClient, recorder: Recorder, path: str
) -> None:
    assert client.get(path).data == b""
    assert recorder.spans() == []


def test_a_query_and_a_users_name_stay_outside(client: FlaskClient, recorder: Recorder) -> None:
    client.post("/predict?token=s3cr3t", auth=("anna", "s3cr3t"))
    assert not any(
        word in span.to_json() for span in recorder.spans() for word in ("s3cr3t", "anna")
    )


def test_the_trace_of_the_request_is_gone_on_with(client: FlaskClient, recorder: Recorder) -> None:
    headers = {"traceparent": f"00-{TRACE}-00f067aa01234567-01"}
    assert client.post("/predict", headers=headers).text == TRACE
    assert {f"{span.context.trace_id:032x}" for span in recorder.spans()} == {TRACE}


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (HTTPStatus.CREATED, StatusCode.UNSET),
        (HTTPStatus.UNAUTHORIZED, StatusCode.UNSET),
        (HTTPStatus.SERVICE_UNAVAILABLE, StatusCode.ERROR),
    ],
)
def test_a_servers_error_is_one(
    client: FlaskClient, recorder: Recorder, status: HTTPStatus, expected: StatusCode
) -> None:
    client.post(f"/predict?status={status.value}")
    request = recorder.named("POST /predict")
    assert request.status.status_code is expected
    assert (request.attributes or {})["http.response.status_code"] == status.value


def test_methods_are_few(client: FlaskClient, recorder: Recorder) -> None:
    client.open("/predict", method="S3CR3T")
    assert recorder.spans()[0].name == "_OTHER /predict"
