"""Every request that a real Label Studio 1.23.2 sent is answered validly."""

from __future__ import annotations

import json
import time

import pytest
import requests

from edgeflow.checkpoints.checkpoint import DEFAULT_MODEL
from tests.contract.openapi import check_answer
from tests.contract.wire import BODIES, JSONObject, captured, check_brush_region

PREDICTIONS = sorted(path.name for path in BODIES.glob("*_predict*.json"))
WEBHOOKS = sorted(path.name for path in BODIES.glob("*_webhook.json"))
BATCH = [name for name in PREDICTIONS if captured(name)["params"]["context"] is None]
INTERACTIVE = [name for name in PREDICTIONS if name not in BATCH]

WITHOUT_ANSWER = {
    "ui_32_autoaccept_neg_056_predict.json": "prompt_unusable",  # a lone negative click
    "ui_92_bg_label_045_predict.json": "label_config",  # a label no mask control has
}


def post(url: str, body: JSONObject) -> JSONObject:
    response = requests.post(f"{url}/predict", json=body, timeout=60)
    assert response.status_code == 200, response.text
    answer: JSONObject = response.json()
    check_answer("/predict", 200, answer)
    return answer


def test_all_captured_requests_are_here() -> None:
    assert len(INTERACTIVE) > 35
    assert len(BATCH) > 8
    assert len(WEBHOOKS) == 13


@pytest.mark.parametrize("name", [name for name in INTERACTIVE if name not in WITHOUT_ANSWER])
def test_captured_clicks_get_one_valid_region_that_holds_the_last_positive_click(
    backend_url: str, name: str
) -> None:
    body = captured(name)
    # Seconds lay between the clicks of one person, which are not waited for here.
    body["tasks"][0]["id"] = name
    (prediction,) = post(backend_url, body)["results"]
    assert prediction["model_version"].startswith(f"{DEFAULT_MODEL}-")
    (region,) = prediction["result"]
    mask = check_brush_region(region, body)
    prompts = body["params"]["context"]["result"]
    positive = [p for p in prompts if p.get("is_positive", True)][-1]["value"]
    height, width = mask.shape
    row, col = int(positive["y"] / 100 * height), int(positive["x"] / 100 * width)
    assert mask[max(row - 8, 0) : row + 9, max(col - 8, 0) : col + 9].any()


@pytest.mark.parametrize("name", sorted(WITHOUT_ANSWER))
def test_captured_requests_that_cannot_be_answered_leave_the_editor_alive(
    backend_url: str, name: str
) -> None:
    (prediction,) = post(backend_url, captured(name))["results"]
    assert prediction["result"] == []
    assert prediction["error"]["code"] == WITHOUT_ANSWER[name]
    assert prediction["error"]["hint"]


@pytest.mark.parametrize("name", BATCH)
def test_captured_batch_calls_store_no_empty_predictions(backend_url: str, name: str) -> None:
    assert post(backend_url, captured(name))["results"] == [[]]  # nothing, and no error there


@pytest.mark.parametrize("name", WEBHOOKS)
def test_captured_webhooks_are_noted_quickly(backend_url: str, name: str) -> None:
    response = requests.post(f"{backend_url}/webhook", json=captured(name), timeout=1)
    assert response.status_code == 201
    check_answer("/webhook", 201, response.json())
    assert response.json()["action"] == captured(name)["action"]


def test_the_same_request_gets_the_same_answer_bit_for_bit(backend_url: str) -> None:
    body = captured("ui_03_alt_neg_028_predict.json")
    assert post(backend_url, body) == post(backend_url, body)


def test_a_dragged_point_keeps_the_regions_id_and_changes_its_mask(backend_url: str) -> None:
    before = captured("ui_112_cont_neg_017_predict.json")
    after = json.loads(json.dumps(before))
    after["params"]["context"]["result"][0]["value"]["x"] += 15
    first, second = (post(backend_url, body)["results"][0]["result"][0] for body in (before, after))
    assert first["id"] == second["id"]
    assert first["value"]["rle"] != second["value"]["rle"]


def test_a_longer_click_sequence_gets_an_id_of_its_own(backend_url: str) -> None:
    names = ["ui_110_cont_1_015", "ui_111_cont_2_016", "ui_112_cont_neg_017"]
    bodies = [captured(f"{name}_predict.json") for name in names]
    ids = set()
    for body in bodies:
        ids.add(post(backend_url, body)["results"][0]["result"][0]["id"])
        time.sleep(1)  # an annotator who sees each answer before the next click
    assert len(ids) == 3
