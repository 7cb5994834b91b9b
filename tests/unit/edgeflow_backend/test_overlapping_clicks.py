"""Clicks that overlap, through the application: what the editor of each annotator is told."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient

from edgeflow.geometry import Size
from edgeflow.label_studio.brush_rle import decode_brush
from edgeflow.label_studio.values import JSONObject
from edgeflow_backend.app import create_app
from edgeflow_backend.service import SegmentationService
from tests.unit.conftest import MakeService
from tests.unit.edgeflow_backend.samples import SIZE, click, disk_request
from tests.unit.local_service import local

PATIENCE_S = 20.0


class Desk:
    """A backend whose network can be held."""

    def __init__(self, service: SegmentationService, monkeypatch: pytest.MonkeyPatch) -> None:
        self.service = service
        self.network = threading.Event()
        self.network.set()
        self.steps = 0
        runtime = local(service).predictor.runtime
        real = runtime.run

        def run(*step: Any) -> Any:
            self.steps += 1
            assert self.network.wait(PATIENCE_S)
            return real(*step)

        monkeypatch.setattr(runtime, "run", run)
        app = create_app(service.settings, lambda *_: service)
        self.client: FlaskClient = app.test_client()
        self._app = app
        self.threads = ThreadPoolExecutor(16)
        assert self.client.get("/versions").status_code == 200

    def ask(self, *points: JSONObject, task: int = 7) -> Future[JSONObject]:
        """Send a request; return once it waits for the network."""
        before = local(self.service).engine.waiting
        body = disk_request(*points)
        body["tasks"][0]["id"] = task
        answer = self.threads.submit(self._post, body)
        give_up = time.monotonic() + PATIENCE_S
        while local(self.service).engine.waiting <= before and not answer.done():
            assert time.monotonic() < give_up
            time.sleep(0.002)
        return answer

    def _post(self, body: JSONObject) -> JSONObject:
        response = self._app.test_client().post("/predict", json=body)
        assert response.status_code == 200, response.text
        (prediction,) = response.get_json()["results"]
        told: JSONObject = prediction
        return told

    def sample(self, name: str, labels: dict[str, str] | None = None) -> float:
        return self.service.metrics.registry.get_sample_value(name, labels or {}) or 0.0


@pytest.fixture
def desk(make_service: MakeService, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    made = Desk(make_service(), monkeypatch)
    yield made
    made.network.set()
    made.threads.shutdown()


def mask(prediction: JSONObject) -> np.ndarray[Any, Any]:
    (region,) = prediction["result"]
    return decode_brush(region["value"]["rle"], Size(*SIZE)) > 0


def held(desk: Desk) -> Future[JSONObject]:
    """Somebody else's click, which has the network until it is let go."""
    desk.network.clear()
    other = desk.ask(click(49, 51, id="other"), task=99)
    give_up = time.monotonic() + PATIENCE_S
    while not desk.steps:
        assert time.monotonic() < give_up
        time.sleep(0.002)
    return other


def test_of_two_clicks_on_an_object_the_older_gets_an_empty_answer_and_the_newer_its_mask(
    desk: Desk,
) -> None:
    other = held(desk)
    one, two = click(50, 50, id="a"), click(10, 10, positive=False, id="b")
    older = desk.ask(one)
    newer = desk.threads.submit(desk._post, disk_request(one, two))
    told = older.result(PATIENCE_S)  # although the network is still held
    assert told["result"] == []
    assert told["score"] == 0.0
    assert told["error"]["code"] == "superseded"
    assert told["error"]["message"]
    desk.network.set()
    assert other.result(PATIENCE_S)["result"]
    assert mask(newer.result(PATIENCE_S)).any()
    assert desk.steps == 3
    assert desk.sample("edgeflow_superseded_total") == 1
    assert desk.sample("edgeflow_predictions_total", {"outcome": "superseded"}) == 1
    assert desk.sample("edgeflow_predictions_total", {"outcome": "ok"}) == 2


def test_a_superseded_click_is_no_trouble_for_the_status_page(desk: Desk) -> None:
    held(desk)
    older = desk.ask(click(50, 50, id="a"))
    newer = desk.threads.submit(desk._post, disk_request(click(52, 50, id="a")))
    assert older.result(PATIENCE_S)["error"]["code"] == "superseded"
    desk.network.set()
    assert newer.result(PATIENCE_S)["result"]
    told = desk.client.get("/status?format=json").get_json()
    assert told["troubles"] == []
    assert told["summary"]["level"] == "good"


def test_two_annotators_of_one_task_are_both_answered(desk: Desk) -> None:
    held(desk)
    anns = desk.ask(click(50, 50, id="ann"))
    bens = desk.ask(click(45, 45, id="ben"), click(5, 5, positive=False, id="ben 2"))
    desk.network.set()
    for future in (anns, bens):
        assert mask(future.result(PATIENCE_S)).any()


def test_a_repeated_request_and_the_first_are_both_answered_alike(desk: Desk) -> None:
    held(desk)
    points = click(50, 50, id="a"), click(10, 10, positive=False, id="b")
    twice = [desk.ask(*points) for _ in range(2)]
    desk.network.set()
    first, again = (future.result(PATIENCE_S) for future in twice)
    assert first["result"] == again["result"]
    assert mask(first).any()
    assert desk.steps == 1 + 2


def test_clicks_without_ids_are_all_answered(desk: Desk) -> None:
    held(desk)
    first = desk.ask(click(50, 50, id=""))
    second = desk.ask(click(50, 50, id=""), click(10, 10, positive=False, id=""))
    desk.network.set()
    for future in (first, second):
        assert mask(future.result(PATIENCE_S)).any()


def test_a_full_queue_says_in_how_many_seconds_it_will_be_empty(
    make_service: MakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(make_service(queue_limit=2), monkeypatch)
    local(desk.service).engine._step_s = 7.0
    held(desk)
    waiting = desk.ask(click(50, 50, id="a"))
    response = desk.client.post("/predict", json=disk_request(click(48, 50, id="b")))
    assert response.status_code == 503
    assert response.headers["Retry-After"] == "14"
    assert response.get_json()["error"]["code"] == "overloaded"
    desk.network.set()
    assert waiting.result(PATIENCE_S)["result"]
    desk.threads.shutdown()


def test_the_settings_reach_the_queue(
    make_service: MakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    service = make_service(max_batch=3, batch_window_ms=0)
    runtime = local(service).predictor.runtime
    real, network = runtime.run, threading.Event()

    def run(*step: Any) -> Any:
        sizes.append(len(step[0]))
        assert network.wait(PATIENCE_S)
        return real(*step)

    monkeypatch.setattr(runtime, "run", run)
    client_of = create_app(service.settings, lambda *_: service).test_client
    with ThreadPoolExecutor(8) as threads:
        asked = []
        for number in range(6):
            body = disk_request(click(50, 50 - number, id=f"annotator {number}"))
            asked.append(threads.submit(client_of().post, "/predict", json=body))
            give_up = time.monotonic() + PATIENCE_S
            while not sizes or local(service).engine.waiting <= number:
                assert time.monotonic() < give_up
                time.sleep(0.002)
        network.set()
        assert all(one.result(PATIENCE_S).get_json()["results"][0]["result"] for one in asked)
    assert sizes == [1, 3, 2]
