"""The API's description against the application that it describes."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jsonschema_rs import ValidationError
from openapi_spec_validator import validate

from edgeflow.inference.predictor import Predictor
from edgeflow_backend.app import create_app
from edgeflow_backend.openapi.document import describe
from edgeflow_backend.openapi.operations import OPERATIONS, Operation
from edgeflow_backend.settings import Settings
from tests.contract.openapi import check_answer, check_request
from tests.contract.wire import BODIES, captured
from tests.unit.local_service import local_service

AUTOMATIC = {"HEAD", "OPTIONS"}
"""Methods that Flask adds."""

HOSTS = "/hosts/<host>"

CAPTURED = sorted(path.name for path in BODIES.glob("*.json"))


@pytest.fixture(scope="module")
def app(predictor: Predictor) -> Iterator[Flask]:
    service = local_service(Settings(), predictor)
    yield create_app(service.settings, lambda *_: service)
    service.close()


@pytest.fixture(scope="module")
def client(app: Flask) -> FlaskClient:
    client = app.test_client()
    assert client.get("/versions").status_code == 200
    return client


def routes(app: Flask, *, below: str) -> set[tuple[str, str]]:
    """Paths below a prefix, each with its methods in lower case."""
    return {
        (rule.rule.removeprefix(below), method.lower())
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith(HOSTS) == (below == HOSTS)
        for method in (rule.methods or set()) - AUTOMATIC
    }


@pytest.mark.parametrize("below", ["", HOSTS])
def test_every_route_is_described_and_every_description_is_of_a_route(
    app: Flask, below: str
) -> None:
    described = {(operation.path, operation.method) for operation in OPERATIONS}
    assert len(described) == len(OPERATIONS)
    assert routes(app, below=below) == described


def test_the_description_follows_openapi() -> None:
    validate(describe())


def test_it_is_served_as_it_is_in_the_documentation(client: FlaskClient) -> None:
    assert json.loads(client.get("/openapi.json").data) == describe()


def test_only_health_needs_no_password() -> None:
    document = describe()
    assert document["security"] == [{"basic": []}]
    paths = document["paths"]
    open_to_all = [path for path in paths if paths[path].get("get", {}).get("security") == []]
    assert open_to_all == ["/health"]


@pytest.mark.parametrize("name", CAPTURED)
def test_what_label_studio_sent_is_as_described(name: str) -> None:
    body = captured(name)
    check_request("/webhook" if "action" in body else "/predict", body)


@pytest.mark.parametrize(
    "operation",
    [operation for operation in OPERATIONS if operation.body],
    ids=lambda operation: operation.path,
)
def test_its_examples_are_as_described_and_understood(
    client: FlaskClient, operation: Operation
) -> None:
    check_request(operation.path, operation.example)
    answer = client.post(operation.path, json=operation.example)
    assert answer.status_code in (200, 201)
    check_answer(operation.path, answer.status_code, answer.json)


@pytest.mark.parametrize("path", ["/", "/health", "/versions", "/status?format=json"])
def test_what_is_asked_without_a_body_is_answered_as_described(
    client: FlaskClient, path: str
) -> None:
    answer = client.get(path)
    check_answer(path.partition("?")[0], 200, answer.json, "get")


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("/predict", 200, {"results": [{"result": []}], "model_version": "x"}),
        ("/predict", 200, {"results": [], "model_version": "x", "more": 1}),
        ("/predict", 400, {"error": "in words"}),
        ("/setup", 200, {}),
        ("/webhook", 201, {"action": "A", "regions_of_ours": -1, "trained": False}),
    ],
)
def test_an_answer_of_another_form_would_be_noticed(path: str, status: int, body: object) -> None:
    with pytest.raises(ValidationError):
        check_answer(path, status, body)
