"""One click and all pages, over HTTP, as Label Studio 1.23 sends it."""

from __future__ import annotations

import requests

from edgeflow.label_studio.config.controls import ImageTag
from edgeflow.label_studio.config.recommended import recommended_config
from tests import moving
from tests.contract.wire import JSONObject, check_brush_region, keypoint, request

COUNT = 4
CONFIG = recommended_config(image=ImageTag("image", "$pages", several=True), pages=True)


def point(page: int, key: str, **more: object) -> JSONObject:
    x, y = moving.middle(page)
    size = {"original_width": moving.SIZE.width, "original_height": moving.SIZE.height}
    place = keypoint(x * 100 / moving.SIZE.width, y * 100 / moving.SIZE.height)
    return {**place, **size, "id": key, "from_name": "pages", "item_index": page, **more}


def body(*points: JSONObject) -> JSONObject:
    asked = request(points[-1], config=CONFIG)
    asked["tasks"][0] |= {
        "id": "pages",
        "data": {"pages": [moving.data_uri(page) for page in range(COUNT)]},
    }
    asked["params"]["context"]["result"] = list(points)
    return asked


def ask(url: str, asked: JSONObject) -> dict[int, JSONObject]:
    response = requests.post(f"{url}/predict", json=asked, timeout=90)
    assert response.status_code == 200, response.text
    (answer,) = response.json()["results"]
    assert "error" not in answer, answer["error"]
    return {region["item_index"]: region for region in answer["result"]}


def test_a_click_is_answered_on_all_pages_and_so_is_its_correction(backend_url: str) -> None:
    first, second = point(1, "p"), point(2, "q")
    asked = body(first)
    found = ask(backend_url, asked)
    assert sorted(found) == list(range(COUNT))
    for page, region in found.items():
        own = body(point(page, "p"))
        check_brush_region(region, own)
    assert ask(backend_url, asked) == found
    corrected = ask(backend_url, body(first, second))
    assert {page: region["id"] for page, region in corrected.items()} == {
        page: region["id"] for page, region in found.items()
    }
    assert corrected[1]["value"] == found[1]["value"]
