from __future__ import annotations

import json
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from edgeflow.label_studio.api.ordering import Head, Place, put_place, switch_on, task_heads
from tests.unit.edgeflow.label_studio.api.test_client import as_json, connect
from tests.unit.edgeflow_backend.loopback import Host, Received, Reply

HELD = {"id": 3, "model_version": "EdgeFlow", "result": [], "score": 0.25, "cluster": 1}
TASK = Head(7, {"image": "a.png"}, annotated=False, predicted=True, placed=True)


def sent(host: Host) -> list[tuple[str, str, Any]]:
    return [
        (each.method, each.path, json.loads(each.body))
        for each in host.received
        if each.method != "GET"
    ]


def test_tasks_are_listed_without_what_stands_in_them(host: Host) -> None:
    listed = [
        {"id": 1, "data": {"image": "a.png"}, "total_annotations": 0, "total_predictions": 0},
        {"id": 2, "data": {}, "total_annotations": 2, "total_predictions": 2,
         "predictions_model_versions": "prelabel 1,EdgeFlow"},
        {"id": 3, "data": {}, "total_annotations": 0, "total_predictions": 1,
         "predictions_model_versions": "prelabel 1"},
    ]  # fmt: skip

    def page(request: Received, _: BaseHTTPRequestHandler) -> Reply:
        return as_json({"tasks": listed if "page=1" in request.path else []})

    host.routes["/api/tasks/"] = page
    assert list(task_heads(connect(host), 5, "EdgeFlow")) == [
        Head(1, {"image": "a.png"}, annotated=False, predicted=False, placed=False),
        Head(2, {}, annotated=True, predicted=True, placed=True),
        Head(3, {}, annotated=False, predicted=True, placed=False),
    ]
    assert "annotations_results" not in host.received[0].path


def test_a_first_place_is_a_prediction_of_its_own(host: Host) -> None:
    host.routes["/api/predictions/"] = as_json(HELD, 201)
    head = replace(TASK, predicted=False)
    assert put_place(connect(host), head, "EdgeFlow", Place(0.123456, 2))
    assert sent(host) == [
        (
            "POST",
            "/api/predictions/",
            {"task": 7, "result": [], "model_version": "EdgeFlow", "score": 0.1235, "cluster": 2},
        )
    ]


def test_another_place_changes_the_prediction_and_the_same_one_nothing(host: Host) -> None:
    host.routes["/api/predictions/"] = as_json([HELD])
    host.routes["/api/predictions/3/"] = as_json(HELD)
    assert not put_place(connect(host), TASK, "EdgeFlow", Place(0.25, 1))
    assert sent(host) == []
    assert put_place(connect(host), TASK, "EdgeFlow", Place(0.5, 1))
    assert sent(host) == [("PATCH", "/api/predictions/3/", {"score": 0.5})]


def test_it_shows_what_would_be_shown_without_it(host: Host) -> None:
    older, newer = ({"id": n, "model_version": "prelabel", "result": [{"id": n}]} for n in (1, 2))
    empty = {"id": 5, "model_version": "another", "result": []}
    host.routes["/api/predictions/"] = as_json([empty, newer, HELD, older])
    host.routes["/api/predictions/3/"] = as_json(HELD)
    assert put_place(connect(host), TASK, "EdgeFlow", Place(0.25, 1))
    assert sent(host) == [("PATCH", "/api/predictions/3/", {"result": [{"id": 2}]})]


@pytest.mark.parametrize("change", [{"cluster": None}, {"model_version": "EdgeFlow 2"}])
def test_what_somebody_else_stored_is_left_alone(host: Host, change: dict[str, Any]) -> None:
    host.routes["/api/predictions/"] = as_json([{**HELD, **change}])
    assert put_place(connect(host), TASK, "EdgeFlow", Place(0.5, 0))
    ((method, path, _),) = sent(host)
    assert (method, path) == ("POST", "/api/predictions/")


def test_a_project_is_told_to_follow_the_order(host: Host) -> None:
    host.routes["/api/projects/5/"] = as_json({"id": 5})
    switch_on(connect(host), 5, "EdgeFlow")
    (request,) = host.received
    assert (request.method, json.loads(request.body)) == (
        "PATCH",
        {"sampling": "Uncertainty sampling", "model_version": "EdgeFlow"},
    )
