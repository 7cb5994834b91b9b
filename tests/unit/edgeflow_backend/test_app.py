from __future__ import annotations

import http.client
import logging
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import orjson
import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families
from requests.auth import HTTPBasicAuth
from werkzeug.serving import make_server
from werkzeug.test import TestResponse

from edgeflow.checkpoints.checkpoint import DEFAULT_MODEL
from edgeflow.errors import CheckpointError
from edgeflow.inference.predictor import Predictor
from edgeflow_backend import log
from edgeflow_backend.app import Build, create_app, take_snapshot
from edgeflow_backend.protocol.config_check import RECOMMENDED
from edgeflow_backend.service import SegmentationService
from edgeflow_backend.settings import Settings
from edgeflow_backend.status.journal import Journal
from edgeflow_backend.status.metrics import Metrics
from edgeflow_backend.status.page import render_html
from edgeflow_backend.status.report import HEADERS, Cache
from tests.contract.wire import JSONObject, captured, check_brush_region
from tests.unit.conftest import MakeService
from tests.unit.edgeflow_backend.loopback import Host, Reply
from tests.unit.edgeflow_backend.samples import click, disk_request
from tests.unit.local_service import local_service

PATIENCE_S = 10.0
ACCESS_TOKEN = "owners-access-token-0123456789"

MakeApp = Callable[..., Flask]


@pytest.fixture
def build(predictor: Predictor) -> Iterator[Build]:
    """Builds real services on the small predictor."""
    services: list[SegmentationService] = []

    def build(settings: Settings, metrics: Metrics, journal: Journal) -> SegmentationService:
        services.append(local_service(settings, predictor, metrics, journal=journal))
        return services[-1]

    yield build
    for service in services:
        service.close()


@pytest.fixture
def make_app(build: Build) -> MakeApp:
    def make(*, build: Build = build, **changes: Any) -> Flask:
        return create_app(Settings(**changes), build)

    return make


@pytest.fixture
def client(make_app: MakeApp) -> FlaskClient:
    """A client of an application whose model is loaded."""
    client = make_app().test_client()
    assert client.get("/versions").status_code == 200
    return client


class Blocked:
    """A build that waits until the test lets it go on."""

    def __init__(self, build: Build) -> None:
        self._build = build
        self.release = threading.Event()
        self.failure: Exception | None = None

    def __call__(
        self, settings: Settings, metrics: Metrics, journal: Journal
    ) -> SegmentationService:
        self.release.wait(PATIENCE_S)
        if self.failure is not None:
            raise self.failure
        return self._build(settings, metrics, journal)


@pytest.fixture
def blocked(build: Build) -> Iterator[Blocked]:
    blocked = Blocked(build)
    yield blocked
    blocked.release.set()


def error_of(response: TestResponse, status: int) -> JSONObject:
    """Check an HTTP error's shape; return its error."""
    assert response.status_code == status, response.text
    assert response.content_type == "application/json"
    assert "Traceback" not in response.text
    body: JSONObject = orjson.loads(response.data)
    assert set(body) == {"error"}
    error: JSONObject = body["error"]
    assert set(error) - {"id"} == {"code", "message", "hint"}
    assert all(isinstance(value, str) and value for value in error.values())
    return error


def until(condition: Callable[[], bool]) -> None:
    give_up = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.005)


# Health and loading


def test_health_goes_from_loading_to_up(make_app: MakeApp, blocked: Blocked) -> None:
    client = make_app(build=blocked).test_client()
    for path in ("/", "/health"):
        response = client.get(path)
        assert response.status_code == 503
        assert orjson.loads(response.data)["status"] == "LOADING"
    blocked.release.set()
    until(lambda: client.get("/health").status_code == 200)
    for path in ("/", "/health"):
        body = orjson.loads(client.get(path).data)
        assert body["status"] == "UP"
        assert body["model_class"] == "EdgeFlowBackend"
        assert body["model_version"].startswith(f"{DEFAULT_MODEL}-")
        assert body["runtime"].startswith("torch")


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (CheckpointError("no model named 'x'", hint="h"), "no model named 'x'"),
        (RuntimeError("secret detail"), "RuntimeError"),
    ],
)
def test_health_is_down_with_the_reason_when_the_model_cannot_be_loaded(
    make_app: MakeApp, blocked: Blocked, failure: Exception, said: str
) -> None:
    blocked.failure = failure
    blocked.release.set()
    client = make_app(build=blocked).test_client()
    until(lambda: orjson.loads(client.get("/health").data)["status"] == "DOWN")
    response = client.get("/health")
    assert response.status_code == 503
    error = orjson.loads(response.data)["error"]
    assert error["code"] == "not_ready"
    assert said in error["message"]
    assert "doctor" in error["hint"]
    assert "secret" not in response.text
    assert "Traceback" not in response.text


def test_health_answers_at_once_while_the_model_loads(make_app: MakeApp, blocked: Blocked) -> None:
    client = make_app(build=blocked).test_client()
    started = time.monotonic()
    client.get("/health")
    assert time.monotonic() - started < PATIENCE_S / 2


def test_a_click_waits_for_a_model_that_is_still_loading(
    make_app: MakeApp, blocked: Blocked
) -> None:
    client = make_app(build=blocked).test_client()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(client.post, "/predict", json=disk_request())
        time.sleep(0.1)
        assert not waiting.done()
        blocked.release.set()
        response = waiting.result(PATIENCE_S)
    assert response.status_code == 200
    (prediction,) = response.get_json()["results"]
    assert len(prediction["result"]) == 1


@pytest.mark.parametrize("path", ["/predict", "/setup", "/versions"])
def test_without_a_model_requests_are_refused_at_once_with_a_time_to_come_back(
    make_app: MakeApp, blocked: Blocked, path: str
) -> None:
    blocked.failure = RuntimeError("x")
    blocked.release.set()
    client = make_app(build=blocked).test_client()
    started = time.monotonic()
    response = client.post(path, json=disk_request())
    assert time.monotonic() - started < 5
    assert error_of(response, 503)["code"] == "not_ready"
    assert int(response.headers["Retry-After"]) > 0


def test_webhooks_and_metrics_need_no_model(make_app: MakeApp, blocked: Blocked) -> None:
    client = make_app(build=blocked).test_client()
    assert client.post("/webhook", json={"action": "START_TRAINING"}).status_code == 201
    assert client.get("/metrics").status_code == 200


# Predictions


def test_a_click_gets_a_region(client: FlaskClient) -> None:
    body = disk_request()
    response = client.post("/predict", json=body)
    assert response.status_code == 200
    assert response.content_type == "application/json"
    answer = response.get_json()
    assert set(answer) == {"results", "model_version"}
    (prediction,) = answer["results"]
    assert check_brush_region(prediction["result"][0], body).any()
    assert prediction["model_version"] == answer["model_version"]


@pytest.mark.slow
def test_a_projects_model_answers(make_app: MakeApp, models_dir: Path) -> None:
    client = make_app(models_dir=str(models_dir), project_models={"12": "other"}).test_client()
    answer = client.post("/predict", json=disk_request(project="12.1795414578")).get_json()
    assert answer["results"][0]["model_version"].startswith("other-")
    answer = client.post("/predict", json=disk_request(project="1.1795414578")).get_json()
    assert answer["results"][0]["model_version"].startswith(f"{DEFAULT_MODEL}-")


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/x-www-form-urlencoded"])
def test_the_content_type_does_not_matter(client: FlaskClient, content_type: str) -> None:
    response = client.post("/predict", data=orjson.dumps(disk_request()), content_type=content_type)
    assert len(response.get_json()["results"][0]["result"]) == 1


@pytest.mark.parametrize("params", [None, {}, {"context": None}, {"login": "x", "context": None}])
def test_a_batch_call_stores_nothing(client: FlaskClient, params: object) -> None:
    response = client.post("/predict", json=disk_request(params=params))
    assert response.status_code == 200
    assert response.get_json()["results"] == [[]]


def test_a_request_without_params_is_a_batch_call(client: FlaskClient) -> None:
    body = disk_request()
    del body["params"]
    assert client.post("/predict", json=body).get_json()["results"] == [[]]


def test_what_cannot_be_served_leaves_the_editor_alive(client: FlaskClient) -> None:
    response = client.post("/predict", json=disk_request(click(positive=False)))
    assert response.status_code == 200
    (prediction,) = response.get_json()["results"]
    assert prediction["result"] == []
    assert prediction["error"]["code"] == "prompt_unusable"


def test_an_overloaded_backend_says_when_to_come_back(
    make_app: MakeApp, predictor: Predictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    entered, release, real = threading.Event(), threading.Event(), predictor.runtime.run

    def slow(*args: Any) -> Any:
        entered.set()
        release.wait(PATIENCE_S)
        return real(*args)

    client = make_app(queue_limit=1).test_client()
    monkeypatch.setattr(predictor.runtime, "run", slow)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(client.post, "/predict", json=disk_request())
        assert entered.wait(PATIENCE_S)
        response = client.post("/predict", json=disk_request())
        release.set()
        assert first.result(PATIENCE_S).status_code == 200
    assert error_of(response, 503)["code"] == "overloaded"
    assert int(response.headers["Retry-After"]) > 0
    assert client.post("/predict", json=disk_request()).status_code == 200


# Requests of another form

BODIES = {
    "nothing": b"",
    "words": b"hello",
    "cut": b'{"tasks": [',
    "null": b"null",
    "number": b"5",
    "text": b'"text"',
    "list": b"[1, 2]",
    "NaN": b'{"tasks": [], "x": NaN}',
    "Infinity": b'{"tasks": [], "x": Infinity}',
    "two objects": b"{}{}",
    "not utf-8": b'{"tasks": "\xff\xfe"}',
    "utf-16": '{"tasks": []}'.encode("utf-16"),
    "a lone surrogate": b'{"tasks": "\\ud800"}',
    "deep lists": b"[" * 100_000,
    "deep and closed": b"[" * 100_000 + b"]" * 100_000,
    "deep objects": b'{"a":' * 100_000,
    "deep tasks": b'{"tasks":' + b"[" * 5000 + b"]" * 5000 + b"}",
    "null bytes": bytes(1000),
}


@pytest.mark.parametrize("path", ["/predict", "/setup", "/webhook"])
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_body_that_is_no_json_object_is_refused(
    client: FlaskClient, path: str, body: bytes
) -> None:
    error = error_of(client.post(path, data=body, content_type="application/json"), 400)
    assert error["code"] == "malformed_request"
    assert len(error["message"]) < 300


@pytest.mark.parametrize(
    "changes",
    [
        {"tasks": None},
        {"tasks": {}},
        {"tasks": "all"},
        {"tasks": [1]},
        {"tasks": [{"id": 1}]},
        {"params": []},
        {"params": "text"},
        {"params": 0},
        {"params": False},
        {"params": {"context": []}},
        {"params": {"context": "text"}},
        {"params": {"context": {"result": {}}}},
        {"params": {"context": {"result": [None]}}},
    ],
    ids=str,
)
def test_a_prediction_of_another_form_is_refused(client: FlaskClient, changes: JSONObject) -> None:
    response = client.post("/predict", json=disk_request(**changes))
    assert error_of(response, 400)["code"] == "malformed_request"
    assert client.post("/predict", json=disk_request()).status_code == 200


def test_a_prediction_without_tasks_is_refused(client: FlaskClient) -> None:
    body = disk_request()
    del body["tasks"]
    assert "tasks" in error_of(client.post("/predict", json=body), 400)["message"]


@pytest.mark.parametrize("path", ["/predict", "/setup", "/webhook"])
def test_a_body_over_the_limit_gets_a_413_that_names_the_setting(
    make_app: MakeApp, path: str
) -> None:
    client = make_app(max_body_mb=0.5).test_client()
    error = error_of(client.post(path, data=bytes(500_001)), 413)
    assert "EDGEFLOW_MAX_BODY_MB=0.5" in error["hint"]
    error_of(client.post(path, data=b" " * 500_000), 400)


@pytest.mark.parametrize("path", ["/admin", "/predict/", "/static/x", "/..%2f..%2fetc/passwd"])
def test_an_unknown_route_gets_a_404_in_json(client: FlaskClient, path: str) -> None:
    assert error_of(client.get(path), 404)["code"] == "not_found"


def test_a_path_is_not_put_right_by_a_redirect(make_app: MakeApp) -> None:
    """It would lead to whatever host the request names."""
    app = make_app(label_studio_hosts={"team": {"url": "http://127.0.0.1:1"}})
    client = app.test_client()
    for path in ("/hosts/team//versions", "/hosts//team", "/hosts//team/"):
        asked = client.get("/", environ_overrides={"PATH_INFO": path}, headers={"Host": "evil"})
        assert error_of(asked, 404)["code"] == "not_found"
        assert "Location" not in asked.headers


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/predict", "POST"),
        ("GET", "/setup", "POST"),
        ("GET", "/webhook", "POST"),
        ("POST", "/health", "GET"),
        ("DELETE", "/versions", "GET"),
        ("PUT", "/predict", "POST"),
    ],
)
def test_a_wrong_method_gets_a_405_in_json_with_the_right_ones(
    client: FlaskClient, method: str, path: str, allowed: str
) -> None:
    response = client.open(path, method=method)
    assert error_of(response, 405)["code"] == "method_not_allowed"
    assert allowed in response.headers.get("Allow", "")


def test_an_unexpected_exception_is_told_without_its_traceback(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("secret path /etc/shadow")

    log.configure("INFO", "json")
    with monkeypatch.context() as patched:
        patched.setattr("edgeflow_backend.model.EdgeFlowBackend.predict", broken)
        response = client.post("/predict", json=disk_request())
    assert error_of(response, 500)["code"] == "internal"
    assert "secret" not in response.text
    assert "secret path" in capsys.readouterr().err
    assert client.post("/predict", json=disk_request()).status_code == 200


# Authentication


def basic(user: str, password: str) -> dict[str, str]:
    code = b64encode(f"{user}:{password}".encode()).decode()
    return {"Authorization": f"Basic {code}"}


def test_health_wants_no_password(make_app: MakeApp) -> None:
    client = make_app(basic_auth_user="anna", basic_auth_password="x").test_client()
    assert client.get("/health").status_code in (200, 503)
    assert client.head("/health").status_code in (200, 503)


@pytest.mark.slow
def test_the_right_password_opens_everything(make_app: MakeApp) -> None:
    client = make_app(basic_auth_user="anna", basic_auth_password="Käse猫").test_client()
    headers = basic("anna", "Käse猫")
    assert client.get("/versions", headers=headers).status_code == 200
    assert client.post("/predict", json=disk_request(), headers=headers).status_code == 200
    assert client.get("/metrics", headers=headers).status_code == 200


def test_a_body_is_not_read_before_the_password(make_app: MakeApp) -> None:
    client = make_app(basic_auth_password="x", max_body_mb=0.001).test_client()
    error_of(client.post("/predict", data=bytes(5000)), 401)


# Setup


def setup_body(schema: object) -> JSONObject:
    return {
        "project": "5.1795414578",
        "schema": schema,
        "hostname": "http://127.0.0.1:8080",
        "access_token": ACCESS_TOKEN,
        "extra_params": None,
    }


def test_setup_answers_with_the_version_and_the_configs_problems(client: FlaskClient) -> None:
    answer = client.post("/setup", json=setup_body(RECOMMENDED)).get_json()
    assert answer["model_version"].startswith(f"{DEFAULT_MODEL}-")
    assert answer["problems"] == answer["warnings"] == []
    assert "recommended" not in answer


def test_setup_warns_of_a_config_that_spoils_exports_and_recommends_another(
    client: FlaskClient,
) -> None:
    keypoints = '<KeyPointLabels name="k" toName="image"><Label value="Object"/></KeyPointLabels>'
    schema = RECOMMENDED.replace("<KeyPoint ", f"{keypoints}<KeyPoint ")
    answer = client.post("/setup", json=setup_body(schema)).get_json()
    assert answer["problems"] == []
    (warning,) = answer["warnings"]
    assert "KeyPointLabels 'k' spoils Label Studio's COCO and YOLO exports" in warning
    assert answer["recommended"] == RECOMMENDED
    status = client.get("/status?format=json").get_json()
    assert [project["warnings"] for project in status["projects"]] == [[warning]]
    assert status["summary"]["level"] == "good"


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ("<View/>", "There is no Image tag"),
        ("<View", "not valid XML"),
        ('<!DOCTYPE v [<!ENTITY x "y">]><View>&x;</View>', "not valid XML"),
        (RECOMMENDED.replace('<Label value="Object" background="#1E90FF"/>', ""), ""),
    ],
)
def test_setup_says_in_words_what_is_wrong(client: FlaskClient, schema: str, said: str) -> None:
    response = client.post("/setup", json=setup_body(schema))
    assert response.status_code == 200
    problems = response.get_json()["problems"]
    assert said in "\n".join(problems)
    assert all(problem.endswith(".") for problem in problems)


@pytest.mark.parametrize("schema", [None, "", "  ", 5, []])
def test_setup_without_a_config_works(client: FlaskClient, schema: object) -> None:
    response = client.post("/setup", json=setup_body(schema))
    assert response.status_code == 200
    assert response.get_json()["model_version"]


@pytest.mark.parametrize("path", ["/setup", "/predict", "/webhook"])
@pytest.mark.parametrize("schema", ["<View/>", "<View", RECOMMENDED])
def test_the_owners_access_token_is_never_logged(
    client: FlaskClient,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    path: str,
    schema: str,
) -> None:
    log.configure("DEBUG", "json")
    caplog.set_level(logging.DEBUG)
    body = {**disk_request(), **setup_body(schema), "label_config": schema}
    client.post(path, json=body)
    client.post(path, json={**body, "action": "PROJECT_UPDATED"})
    client.post(path, data=orjson.dumps(body)[:-1])
    output = capsys.readouterr()
    for text in (output.out, output.err, caplog.text):
        assert ACCESS_TOKEN not in text


# Versions, webhooks, metrics


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_versions_are_told_by_either_method(client: FlaskClient, method: str) -> None:
    answer = client.open("/versions", method=method).get_json()
    assert answer["versions"] == [client.get("/health").get_json()["model_version"]]


def test_a_captured_webhook_is_noted(client: FlaskClient) -> None:
    response = client.post("/webhook", json=captured("ui_50_submit_059_webhook.json"))
    assert response.status_code == 201
    assert response.get_json()["action"] == "ANNOTATION_CREATED"


@pytest.mark.parametrize("body", [{}, {"action": None}, {"action": 5}, {"action": ["x"]}])
def test_a_webhook_without_an_action_is_refused(client: FlaskClient, body: JSONObject) -> None:
    assert "action" in error_of(client.post("/webhook", json=body), 400)["message"]


def shown(client: FlaskClient) -> dict[tuple[str, tuple[str, ...]], float]:
    response = client.get("/metrics")
    assert response.status_code == 200
    assert response.content_type.startswith("text/plain")
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
    }


def test_metrics_count_predictions_requests_and_webhooks(client: FlaskClient) -> None:
    client.post("/predict", json=disk_request())
    client.post("/predict", json=disk_request(click(positive=False)))
    client.post("/predict", data=b"x")
    client.post("/webhook", json={"action": "ANNOTATION_CREATED"})
    client.get("/nowhere")
    metrics = shown(client)
    assert metrics["edgeflow_predictions_total", ("ok",)] == 1
    assert metrics["edgeflow_predictions_total", ("prompt_unusable",)] == 1
    assert metrics["edgeflow_http_requests_total", ("predict", "200")] == 2
    assert metrics["edgeflow_http_requests_total", ("predict", "400")] == 1
    assert metrics["edgeflow_http_requests_total", ("unknown", "404")] == 1
    assert metrics["edgeflow_annotation_events_total", ("ANNOTATION_CREATED",)] == 1
    assert metrics["edgeflow_network_steps_total", ()] == 1
    assert metrics["edgeflow_cache_bytes", ("images",)] > 0
    assert metrics["edgeflow_cache_bytes", ("states",)] > 0


def test_metrics_stay_bounded_whatever_is_asked(client: FlaskClient) -> None:
    client.get("/nowhere")
    client.post("/webhook", json={"action": "other"})
    shown(client)
    before = shown(client).keys()
    for number in range(50):
        client.get(f"/nowhere/{number}")
        client.post("/webhook", json={"action": f"action {number}"})
    assert shown(client).keys() == before


# The status page


def test_both_forms_of_the_status_page_say_the_same_under_safe_headers(
    client: FlaskClient,
) -> None:
    client.post("/predict", json=disk_request(click(positive=False)))
    page = client.get("/status", headers={"Accept": "text/html"})
    assert page.content_type == "text/html; charset=utf-8"
    json = client.get("/status", headers={"Accept": "application/json"})
    assert json.content_type == "application/json"
    body = orjson.loads(json.data)
    assert body["model"]["state"] == "ready"
    assert body["troubles"][0]["code"] == "prompt_unusable"
    assert body["troubles"][0]["id"] in page.text
    assert body["summary"]["text"] in page.text
    assert render_html(body).splitlines()[:5] == page.text.splitlines()[:5]
    for response in (page, json):
        assert response.status_code == 200
        policy = response.headers["Content-Security-Policy"].split("; ")
        assert policy[:2] == ["default-src 'none'", "style-src 'unsafe-inline'"]
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Cache-Control"] == "no-store"
        assert HEADERS.items() <= dict(response.headers).items()


def test_the_query_chooses_the_form_of_the_status_page(client: FlaskClient) -> None:
    response = client.get("/status?format=json", headers={"Accept": "text/html"})
    assert response.content_type == "application/json"


def test_refused_and_failed_clicks_and_configs_are_on_the_status_page(
    client: FlaskClient,
) -> None:
    refused = error_of(client.post("/predict", json=disk_request(tasks=None)), 400)
    prediction = client.post("/predict", json=disk_request(label_config="<View/>")).get_json()
    failed = prediction["results"][0]["error"]
    client.post("/predict", json=disk_request())
    body = client.get("/status?format=json").get_json()
    assert {trouble["id"] for trouble in body["troubles"]} == {refused["id"], failed["id"]}
    assert body["load"]["ok"] == 1
    assert body["load"]["failed"] == 2
    assert [project["place"] for project in body["projects"]] == ["predict"]


@pytest.mark.parametrize("path", ["/setup", "/predict"])
def test_the_status_page_says_what_clicks_refine_in_each_project(
    make_app: MakeApp, host: Host, path: str
) -> None:
    project = {"id": 1, "title": "coins", "label_config": "", "maximum_annotations": 2}
    host.routes["/api/projects/1"] = Reply(body=orjson.dumps(project))
    app = make_app(label_studio_url=host.url, label_studio_api_key="abc")
    client = app.test_client()
    body = {**disk_request(), **setup_body(RECOMMENDED), "project": "1.1", "params": None}
    assert client.post(path, json=body).status_code == 200  # also a task that is merely opened

    def told() -> str:
        (shown,) = client.get("/status?format=json").get_json()["projects"]
        assert isinstance(shown["refining"], str)
        return shown["refining"]

    until(lambda: "2 people annotate each task" in told())
    assert len(host.asked("/api/projects/1")) == 1


def test_the_status_page_shows_the_command_that_exports_each_project_without_a_token(
    make_app: MakeApp,
) -> None:
    studios = {"team-b": {"url": "http://u:secret@inside:8080", "public_url": "https://b.example"}}
    app = make_app(
        label_studio_url="http://anna:secret@127.0.0.1:9",
        label_studio_api_key="secret",
        label_studio_hosts=studios,
    )
    client = app.test_client()
    for route, project in (("/setup", "12.1"), ("/hosts/team-b/setup", "7.1")):
        body = {**setup_body(RECOMMENDED), "project": project}
        assert client.post(route, json=body).status_code == 200
    response = client.get("/status?format=json")
    assert [shown["export"] for shown in response.get_json()["projects"]] == [
        "edgeflow export --url https://b.example --project 7 -o project-7",
        "edgeflow export --url http://127.0.0.1:9 --project 12 -o project-12",
    ]
    page = client.get("/status?format=html").text
    assert "edgeflow export --url https://b.example --project 7 -o project-7" in page
    assert "secret" not in response.text + page


def test_an_event_that_a_project_was_changed_has_it_asked_for_again(
    make_app: MakeApp, host: Host
) -> None:
    project = {"id": 1, "title": "coins", "label_config": "", "maximum_annotations": 1}
    host.routes["/api/projects/1"] = Reply(body=orjson.dumps(project))
    client = make_app(label_studio_url=host.url, label_studio_api_key="abc").test_client()
    assert client.get("/versions").status_code == 200

    def told() -> str:
        client.post("/predict", json=disk_request())
        (shown,) = client.get("/status?format=json").get_json()["projects"]
        return str(shown["refining"])

    until(lambda: "one person" in told())
    changed = {**project, "maximum_annotations": 2}
    host.routes["/api/projects/1"] = Reply(body=orjson.dumps(changed))
    event = {"action": "PROJECT_UPDATED", "project": changed}
    assert client.post("/webhook", json=event).status_code == 201
    until(lambda: "2 people" in told())


@pytest.mark.parametrize("project", [None, 3, {}, {"id": None}, {"id": []}, {"id": "x" * 500}])
def test_an_odd_event_about_a_project_is_noted_like_any_other(
    client: FlaskClient, project: object
) -> None:
    event = {"action": "PROJECT_UPDATED", "project": project}
    assert client.post("/webhook", json=event).status_code == 201


def test_the_status_page_says_that_nobody_knows_what_clicks_refine(client: FlaskClient) -> None:
    client.post("/predict", json=disk_request())

    def told() -> str:
        (shown,) = client.get("/status?format=json").get_json()["projects"]
        return str(shown["refining"])

    until(lambda: "To do" in told() and "LABEL_STUDIO_URL" in told())


def test_the_status_page_says_why_there_is_no_model(make_app: MakeApp, blocked: Blocked) -> None:
    client = make_app(build=blocked).test_client()
    model = client.get("/status?format=json").get_json()["model"]
    assert (model["state"], model["version"]) == ("loading", DEFAULT_MODEL)
    assert "loading" in model["message"]
    blocked.failure = CheckpointError("no model named 'x'", hint="h")
    blocked.release.set()
    until(lambda: client.get("/health").get_json()["status"] == "DOWN")
    model = client.get("/status?format=json").get_json()["model"]
    assert model["state"] == "failed"
    assert "no model named 'x'" in model["message"]
    assert "doctor" in model["hint"]


def test_a_snapshot_holds_the_state_of_a_real_service(make_service: MakeService) -> None:
    service = make_service(state_cache_mb=3, image_cache_mb=5, feature_cache_mb=7, queue_limit=7)
    snapshot = take_snapshot(service)
    assert (snapshot.state, snapshot.version) == ("ready", service.model_version)
    assert "cpu" in snapshot.runtime
    assert "float32" in snapshot.runtime
    assert (snapshot.waiting, snapshot.queue_limit) == (0, 7)
    assert snapshot.caches == (
        Cache("images", 0, 5_000_000),
        Cache("click states", 0, 3_000_000),
        Cache("features", 0, 7_000_000),
    )
    service.segmenter.warm_up()
    assert take_snapshot(service).caches[1].nbytes > 0


# Through a real server


@pytest.fixture
def serve(make_app: MakeApp) -> Iterator[Callable[..., int]]:
    """Serve applications on loopback; gives the port."""
    servers: list[tuple[Any, threading.Thread]] = []

    def serve(**changes: Any) -> int:
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        server = make_server("127.0.0.1", 0, make_app(**changes), threaded=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        servers.append((server, thread))
        return int(server.server_port)

    yield serve
    for server, thread in servers:
        server.shutdown()
        server.server_close()
        thread.join()


def chunked(port: int, chunks: Iterator[bytes]) -> tuple[int, bytes]:
    """POST a body without a Content-Length."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    try:
        connection.request("POST", "/predict", body=chunks, encode_chunked=True)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def test_a_body_in_chunks_is_read(serve: Callable[..., int]) -> None:
    body = orjson.dumps(disk_request())
    status, answer = chunked(serve(), iter([body[:100], body[100:]]))
    assert status == 200
    assert len(orjson.loads(answer)["results"][0]["result"]) == 1


def test_a_body_in_chunks_over_the_limit_gets_a_413(serve: Callable[..., int]) -> None:
    status, answer = chunked(serve(max_body_mb=0.01), iter([bytes(6000)] * 2))
    assert status == 413
    assert orjson.loads(answer)["error"]["code"]


@pytest.mark.parametrize(
    ("user", "password"), [("anna", "secret"), ("ännä", "secret"), ("anna", "Käse")]
)
def test_label_studio_gets_in_with_the_password_it_was_given(
    serve: Callable[..., int], user: str, password: str
) -> None:
    port = serve(basic_auth_user=user, basic_auth_password=password)
    response = requests.get(
        f"http://127.0.0.1:{port}/versions", auth=HTTPBasicAuth(user, password), timeout=PATIENCE_S
    )
    assert response.status_code == 200


def test_an_old_flask_is_named_with_the_alternative(
    build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edgeflow_backend.app.version", lambda _: "1.1.4")
    with pytest.raises(RuntimeError, match="label-studio-ml start"):
        create_app(Settings(), build)


@pytest.mark.parametrize("route", ["webhook", "train"])
def test_training_is_noted_for_the_label_studio_that_asks(make_app: MakeApp, route: str) -> None:
    studio = {"url": "http://127.0.0.1:9", "api_key": "0123"}
    client = make_app(label_studio_hosts={"team-b": studio}).test_client()
    body = {"action": "START_TRAINING", "project": {"id": 12}}
    answer = client.post(f"/hosts/team-b/{route}", json=body)
    assert (answer.status_code, answer.get_json()["trained"]) == (201, False)
    (call,) = client.get("/status?format=json").get_json()["calls"]
    assert (call["project"], call["kind"]) == ("team-b/12", "training")
