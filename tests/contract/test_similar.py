"""One example and all its like, over HTTP."""

from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests

from edgeflow_backend.protocol.config_check import RECOMMENDED
from tests.contract.wire import JSONObject, check_brush_region, keypoint, request

ROOT = Path(__file__).parents[2]
COINS = base64.b64encode((ROOT / "demo" / "photos" / "coins.jpg").read_bytes()).decode()
OTHERS = 23

EXAMPLE = (
    '<KeyPoint name="similar" toName="image" smart="true" smartOnly="true" edgeflowFind="similar"/>'
)
CONFIG = RECOMMENDED.replace("<Image ", f"{EXAMPLE}<Image ")


def body(x: float, y: float, control: str, task: str) -> JSONObject:
    size = {"original_width": 384, "original_height": 303}
    point = {**keypoint(x, y), **size, "from_name": control}
    asked = request(point, image=f"data:image/jpeg;base64,{COINS}", config=CONFIG)
    asked["tasks"][0]["id"] = task
    return asked


def ask(url: str, asked: JSONObject) -> list[JSONObject]:
    response = requests.post(f"{url}/predict", json=asked, timeout=90)
    assert response.status_code == 200, response.text
    (answer,) = response.json()["results"]
    assert "error" not in answer, answer["error"]
    for region in answer["result"]:
        check_brush_region(region, asked)
    regions: list[JSONObject] = answer["result"]
    return regions


def test_one_click_gets_all_coins_and_another_ones_click_in_between_its_own(
    backend_url: str,
) -> None:
    single = body(26, 41, "click", "somebody else's")
    alone = ask(backend_url, single)
    with ThreadPoolExecutor(1) as pool:
        searched = pool.submit(ask, backend_url, body(10, 16, "similar", "similar"))
        assert ask(backend_url, single) == alone
        found = searched.result()
    assert len({region["id"] for region in found}) == 1 + OTHERS
    assert ask(backend_url, body(10, 16, "similar", "similar")) == found
    status = requests.get(f"{backend_url}/status?format=json", timeout=10).json()
    caches = {cache["name"]: cache for cache in status["caches"]}
    assert 0 < caches["features"]["bytes"] <= caches["features"]["max_bytes"]


def test_an_attribute_that_does_nothing_is_told_when_a_project_is_set_up(backend_url: str) -> None:
    schema = RECOMMENDED.replace("<Image ", '<Image edgeflowFind="similar" ')
    answer = requests.post(
        f"{backend_url}/setup", json={"project": "9.1", "schema": schema}, timeout=30
    ).json()
    assert "edgeflowFind" in str(answer)
