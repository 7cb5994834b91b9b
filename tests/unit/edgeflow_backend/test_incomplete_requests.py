"""Whole requests in which a click or a task leaves something out, or somebody skipped the task."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from edgeflow.label_studio.values import JSONObject
from edgeflow_backend.model import EdgeFlowBackend
from edgeflow_backend.protocol.config_check import RECOMMENDED
from tests.unit.conftest import MakeService
from tests.unit.edgeflow_backend.samples import click, disk_request

ABSENT = "(absent)"
TWO_IMAGES = RECOMMENDED.replace(
    "</View>", '<Image name="other" value="$other"/></View>'
)  # fmt: skip

Predict = Callable[[JSONObject], JSONObject]


@pytest.fixture
def predict(make_service: MakeService) -> Predict:
    service = make_service(overlap=1)

    def predict(body: JSONObject) -> JSONObject:
        (answer,) = EdgeFlowBackend(service=service).predict(
            body["tasks"],
            context=body["params"]["context"],
            label_config=body["label_config"],
            project=body["project"],
        )
        found: JSONObject = answer
        return found

    return predict


def changed(**changes: Any) -> JSONObject:
    point = {**click(), **changes}
    return {key: value for key, value in point.items() if value is not ABSENT}


@pytest.mark.parametrize(
    "changes",
    [
        {}, {"id": None}, {"id": ABSENT}, {"image_rotation": None}, {"image_rotation": math.nan},
        {"original_width": 0}, {"original_width": 0, "original_height": 0},
        {"original_width": None, "original_height": None}, {"original_width": 160.0},
        {"original_width": ABSENT, "original_height": ABSENT}, {"item_index": None},
        {"to_name": ABSENT}, {"to_name": None}, {"from_name": None},
        {"from_name": ABSENT, "to_name": ABSENT}, {"is_positive": None},
    ],
    ids=str,
)  # fmt: skip
def test_an_incomplete_click_gets_the_same_mask(predict: Predict, changes: JSONObject) -> None:
    (expected,) = predict(disk_request())["result"]
    (region,) = predict(disk_request(changed(**changes), project="another.1"))["result"]
    for name in ("value", "from_name", "to_name", "original_width", "original_height"):
        assert region[name] == expected[name], name
    assert region["image_rotation"] == 0


@pytest.mark.parametrize(
    ("changes", "config", "said"),
    [
        ({"value": None}, RECOMMENDED, "value"),
        ({"item_index": -1}, RECOMMENDED, "item_index"),
        ({"from_name": "gone", "to_name": None}, TWO_IMAGES, "which image"),
        ({"to_name": "gone"}, RECOMMENDED, "gone"),
    ],
    ids=str,
)
def test_what_is_missing_is_said_in_the_tasks_own_answer(
    predict: Predict, changes: JSONObject, config: str, said: str
) -> None:
    answer = predict(disk_request(changed(**changes), label_config=config))
    assert answer["result"] == []
    assert said in answer["error"]["message"]
    assert answer["error"]["hint"]


@pytest.mark.parametrize(
    ("skipped", "reopened", "goes_on"),
    [
        (False, False, True), (None, False, True), (True, False, False), (True, True, True),
        ("true", False, False), (0, False, True),
    ],
)  # fmt: skip
def test_a_click_on_a_skipped_mask_refines_it_once_it_was_reopened(
    predict: Predict, skipped: object, reopened: object, goes_on: bool
) -> None:
    (mask,) = predict(disk_request(click(id="first"), project="another.1"))["result"]
    body = disk_request(click(52, 52, id="second"))
    (task,) = body["tasks"]
    task["annotations"] = [{"id": 6, "result": [mask], "was_cancelled": skipped}]
    if reopened:
        task["drafts"] = [{"id": 3, "annotation": 6, "result": [mask]}]
    (region,) = predict(body)["result"]
    assert (region["id"] == mask["id"]) == goes_on
    assert len(region["meta"]["edgeflow"]["clicks"]) == 1 + goes_on
