"""A click's way through the real backend, as its trace shows it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask.testing import FlaskClient
from opentelemetry.trace import StatusCode

from edgeflow.inference.predictor import Predictor
from edgeflow_backend.app import create_app
from edgeflow_backend.engine.batching import run_together
from edgeflow_backend.service import SegmentationService
from edgeflow_backend.settings import Settings
from edgeflow_backend.status.journal import Journal
from edgeflow_backend.status.metrics import Metrics
from edgeflow_backend.tracing.middleware import TracedApplication
from tests.contract.wire import JSONObject, request
from tests.unit.edgeflow_backend.loopback import Host, Reply
from tests.unit.edgeflow_backend.samples import click, disk_png, disk_request
from tests.unit.edgeflow_backend.tracing.recorder import Recorder
from tests.unit.local_service import local_service

MakeClient = Callable[..., FlaskClient]


@pytest.fixture
def make_client(predictor: Predictor, recorder: Recorder) -> Iterator[MakeClient]:
    """Makes clients of real backends, whose traces the recorder has."""
    services: list[SegmentationService] = []

    def make(**changes: Any) -> FlaskClient:
        def build(settings: Settings, metrics: Metrics, journal: Journal) -> SegmentationService:
            services.append(local_service(settings, predictor, metrics, journal=journal))
            return services[-1]

        app = create_app(Settings(**changes), build)
        app.wsgi_app = TracedApplication(app.wsgi_app, recorder.tracer)  # type: ignore[method-assign]
        client = app.test_client()
        assert client.get("/versions").status_code == 200
        recorder.forget()
        return client

    yield make
    for service in services:
        service.close()


def predict(client: FlaskClient, body: JSONObject) -> JSONObject:
    (result,) = client.post("/predict", json=body).json["results"]  # type: ignore[index]
    return dict(result)


def test_a_click_shows_every_station(
    make_client: MakeClient, recorder: Recorder, host: Host
) -> None:
    host.routes["/cat.png"] = Reply(body=disk_png())
    client = make_client(label_studio_url=host.url)
    image = f"{host.url}/cat.png?token=s3cr3t"
    assert predict(client, request(click(), image=image))["result"]
    assert recorder.tree() == {
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
    assert recorder.attributes("click") == {"edgeflow.clicks": 1}
    assert recorder.attributes("download") == {"edgeflow.bytes": len(disk_png())}
    assert recorder.attributes("decode") == {"edgeflow.pixels": 120 * 160}
    assert recorder.attributes("network step") == {"edgeflow.number": 1, "edgeflow.batch": 1}
    shown = "".join(span.to_json() for span in recorder.spans())
    assert "s3cr3t" not in shown
    assert "cat.png" not in shown
    assert "127.0.0.1" not in shown


def test_what_is_known_already_takes_no_spans(make_client: MakeClient, recorder: Recorder) -> None:
    client = make_client()
    predict(client, disk_request())
    recorder.forget()
    predict(client, disk_request(click(), click(40, 50)))
    names = [span.name for span in recorder.spans()]
    assert names.count("network step") == 1  # the first click's state is cached
    assert not {"download", "decode"} & set(names)


def test_a_failed_station_is_the_one_marked(
    make_client: MakeClient, recorder: Recorder, host: Host
) -> None:
    client = make_client(label_studio_url=host.url)
    predict(client, request(click(), image=f"{host.url}/missing.png"))
    failed = {span.name for span in recorder.spans() if span.status.status_code is StatusCode.ERROR}
    assert failed == {"click", "image", "download"}
    assert recorder.attributes("image") == {"error.type": "image_fetch"}


def test_each_request_of_a_batch_has_the_step_in_its_own_trace(
    make_client: MakeClient, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = make_client(max_batch=2)
    others_wait = threading.Event()

    def run(*batch: Any) -> Any:
        others_wait.wait(10)  # the first click holds the network until the others queue for it
        return run_together(*batch)

    monkeypatch.setattr("edgeflow_backend.engine.engine.run_together", run)

    def ask(task: int) -> None:
        body = disk_request(click(40 + 5 * task, id=f"p{task}"))
        body["tasks"][0]["id"] = task
        client.application.test_client().post("/predict", json=body)

    def waiting() -> bool:
        return b"edgeflow_waiting_predictions 3.0" in client.get("/metrics").data

    with ThreadPoolExecutor(3) as annotators:
        answers = annotators.map(ask, (1, 2, 3))
        give_up = time.monotonic() + 10
        while not waiting() and time.monotonic() < give_up:
            time.sleep(0.002)
        others_wait.set()
        list(answers)
    steps = [span for span in recorder.spans() if span.name == "network step"]
    requests = [span for span in recorder.spans() if span.name == "POST /predict"]
    assert len(steps) == len(requests) == 3
    assert {step.context.trace_id for step in steps} == {each.context.trace_id for each in requests}
    sizes = [(step.attributes or {})["edgeflow.batch"] for step in steps]
    assert sorted(map(str, sizes)) == ["1", "2", "2"]


def test_what_opening_a_task_loads_ahead_belongs_to_that_request(
    make_client: MakeClient, recorder: Recorder, host: Host
) -> None:
    host.routes["/cat.png"] = Reply(body=disk_png())
    client = make_client(label_studio_url=host.url)
    body = request(click(), image=f"{host.url}/cat.png")
    client.post("/predict", json={**body, "params": {"context": None}})
    predict(client, body)  # waits for it, and loads nothing itself
    opened, clicked = (span for span in recorder.spans() if span.name == "POST /predict")
    assert recorder.named("download").context.trace_id == opened.context.trace_id
    assert recorder.named("encode").context.trace_id == clicked.context.trace_id
