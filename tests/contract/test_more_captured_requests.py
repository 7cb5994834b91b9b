"""What annotators do, with bodies that a real Label Studio 1.23.2 sent while they did it."""

from __future__ import annotations

import copy
import time

import numpy as np
import numpy.typing as npt
import pytest
import requests

from edgeflow.geometry import Size
from edgeflow.label_studio.brush_rle import decode_brush
from tests.contract.wire import BODIES, JSONObject, captured

MORE = sorted(path.name for path in BODIES.glob("more_*.json"))
BOXES = [name for name in MORE if "smart_rectangle" in name]
BoolMask = npt.NDArray[np.bool_]


def ask(url: str, body: JSONObject) -> list[JSONObject]:
    """The regions of the answer."""
    response = requests.post(f"{url}/predict", json=body, timeout=60)
    assert response.status_code == 200, response.text
    (prediction,) = response.json()["results"]
    assert "error" not in prediction, prediction["error"]
    regions: list[JSONObject] = prediction["result"]
    return regions


def mask_of(region: JSONObject) -> BoolMask:
    size = Size(region["original_height"], region["original_width"])
    mask: BoolMask = decode_brush(region["value"]["rle"], size) > 127
    return mask


def with_click(
    body: JSONObject, x: float, y: float, *, positive: bool = True, key: str = "new"
) -> JSONObject:
    """The same request with one click of the same annotator elsewhere."""
    asked = copy.deepcopy(body)
    (old, *_) = asked["params"]["context"]["result"]
    value = {**old["value"], "x": x, "y": y}
    asked["params"]["context"]["result"] = [
        {**old, "id": f"{key}-{time.monotonic_ns()}", "value": value, "is_positive": positive}
    ]
    return asked


@pytest.mark.parametrize("name", MORE)
def test_every_request_gets_an_answer_that_fits_its_config(backend_url: str, name: str) -> None:
    body = captured(name)
    newest = body["params"]["context"]["result"][-1]
    first, *others = ask(backend_url, body)
    assert first["type"] in ("brushlabels", "brush")
    assert first["to_name"] == newest["to_name"]
    assert first.get("item_index") == newest.get("item_index")
    assert first["image_rotation"] == newest["image_rotation"]
    assert mask_of(first).any()
    labels = newest["value"].get("labels") or newest["value"].get(newest["type"]) or []
    if first["type"] == "brushlabels":
        assert first["value"]["brushlabels"] == labels  # an alias stays an alias
        assert not others
    elif labels:
        (label,) = others  # <Labels>: a second result with the same id
        assert (label["id"], label["type"]) == (first["id"], "labels")
        assert label["value"]["labels"] == labels
        assert label["value"]["rle"] == first["value"]["rle"]


@pytest.mark.parametrize("name", BOXES)
def test_the_mask_of_a_box_lies_in_the_newest_box(backend_url: str, name: str) -> None:
    body = captured(name)
    box = body["params"]["context"]["result"][-1]["value"]
    (region,) = ask(backend_url, body)
    mask = mask_of(region)
    height, width = mask.shape
    rows, cols = np.nonzero(mask)
    assert cols.min() >= box["x"] / 100 * width - 1.5
    assert rows.min() >= box["y"] / 100 * height - 1.5
    assert cols.max() <= (box["x"] + box["width"]) / 100 * width + 0.5
    assert rows.max() <= (box["y"] + box["height"]) / 100 * height + 0.5


def test_a_stroke_by_hand_that_is_not_rendered_yet_is_a_mask_to_go_on_with(
    backend_url: str,
) -> None:
    body = captured("more_hand_brush_draft.json")
    (drawn,) = (r for r in body["tasks"][0]["drafts"][0]["result"] if r["type"] == "brushlabels")
    assert "rle" not in drawn["value"]
    (touch,) = drawn["value"]["touches"]
    x, y = touch["relativePoints"][6:8]
    (region,) = ask(backend_url, with_click(body, x, y))
    assert region["id"] == drawn["id"]
    mask = mask_of(region)
    height, width = mask.shape
    for x, y in zip(touch["relativePoints"][::2], touch["relativePoints"][1::2], strict=True):
        assert mask[int(y / 100 * height), int(x / 100 * width)]  # nothing drawn was lost


def test_what_was_erased_by_hand_belongs_to_the_mask_no_more(backend_url: str) -> None:
    body = captured("more_edited_brush_draft_touches.json")
    (edited,) = (r for r in body["tasks"][0]["drafts"][0]["result"] if r["type"] == "brushlabels")
    added, erased = edited["value"]["touches"]
    (on_added,) = ask(backend_url, with_click(body, *added["relativePoints"][8:10]))
    assert on_added["id"] == edited["id"]
    asked = with_click(body, *erased["relativePoints"][6:8], positive=False)
    response = requests.post(f"{backend_url}/predict", json=asked, timeout=60)
    (prediction,) = response.json()["results"]
    assert prediction["result"] == []  # a lone negative click beside every mask
    assert "negative" in prediction["error"]["message"]


def test_another_label_studio_has_addresses_of_its_own(backend_url: str) -> None:
    response = requests.get(f"{backend_url}/hosts/nobody/health", timeout=10)
    assert response.status_code == 404
