from __future__ import annotations

import json
from typing import Any

import pytest

from edgeflow.label_studio.api.ordering import Place, Placed, find_placed, put_place, switch_on
from tests.unit.edgeflow.label_studio.api.test_client import as_json, connect
from tests.unit.edgeflow_backend.loopback import Host

PREDICTION = {"id": 3, "model_version": "EdgeFlow", "result": [], "score": 0.25, "cluster": 1}


def test_the_prediction_that_holds_a_place_is_found_among_others(host: Host) -> None:
    others = [{**PREDICTION, "id": 1, "model_version": "prelabel"}, {"id": 2}]
    host.routes["/api/predictions/"] = as_json([*others, PREDICTION])
    assert find_placed(connect(host), 7, "EdgeFlow") == Placed(3, Place(0.25, 1))
    assert host.received[0].path == "/api/predictions/?task=7"


@pytest.mark.parametrize(
    "change", [{"result": [{"id": "r"}]}, {"cluster": None}, {"model_version": "EdgeFlow 2"}]
)
def test_what_somebody_else_stored_holds_none(host: Host, change: dict[str, Any]) -> None:
    host.routes["/api/predictions/"] = as_json([{**PREDICTION, **change}])
    assert find_placed(connect(host), 7, "EdgeFlow") is None


def test_a_first_place_is_a_prediction_without_regions(host: Host) -> None:
    host.routes["/api/predictions/"] = as_json(PREDICTION, 201)
    assert put_place(connect(host), 7, "EdgeFlow", Place(0.123456, 2), None)
    (request,) = host.received
    assert (request.method, json.loads(request.body)) == (
        "POST",
        {"task": 7, "result": [], "model_version": "EdgeFlow", "score": 0.1235, "cluster": 2},
    )


def test_another_place_changes_the_prediction_and_the_same_one_nothing(host: Host) -> None:
    host.routes["/api/predictions/3/"] = as_json(PREDICTION)
    known = Placed(3, Place(0.25, 1))
    assert put_place(connect(host), 7, "EdgeFlow", Place(0.5, 1), known)
    assert not put_place(connect(host), 7, "EdgeFlow", Place(0.25, 1), known)
    (request,) = host.received
    assert (request.method, json.loads(request.body)) == ("PATCH", {"score": 0.5, "cluster": 1})


def test_a_project_is_told_to_follow_the_order(host: Host) -> None:
    host.routes["/api/projects/5/"] = as_json({"id": 5})
    switch_on(connect(host), 5, "EdgeFlow")
    (request,) = host.received
    assert (request.method, json.loads(request.body)) == (
        "PATCH",
        {"sampling": "Uncertainty sampling", "model_version": "EdgeFlow"},
    )
