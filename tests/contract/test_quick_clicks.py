"""Clicks on twelve objects as an annotator made them within two seconds, auto-accept on."""

from __future__ import annotations

import base64
import http.client
import json
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from edgeflow.geometry import Size
from edgeflow.label_studio.brush_rle import decode_brush
from tests.contract.wire import JSONObject, check_brush_region, keypoint, request

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
RECORDED = json.loads((Path(__file__).parent / "sequences" / "coins_150_ms.json").read_text())
COINS = base64.b64encode((ROOT / "demo" / "photos" / "coins.jpg").read_bytes()).decode()
ALL = list(RECORDED["points"])
WAVES = [(sent["at"], sent["points"]) for sent in RECORDED["requests"]]
WORKERS = 40

Sent = tuple[float, list[str]]


class Annotator:
    """Somebody whose requests are sent at their times, whether others are answered or not."""

    def __init__(self, url: str, task: str, name: str) -> None:
        self.url, self.task, self.name = url, task, name

    def body(self, keys: Iterable[str], *more: JSONObject) -> JSONObject:
        size = {"original_width": 384, "original_height": 303}
        points = []
        for key in keys:
            x, y = RECORDED["points"][key]
            points.append({**keypoint(x, y), **size, "id": f"{self.name}-{key}"})
        asked = request(*points, *more, image=f"data:image/jpeg;base64,{COINS}")
        asked["tasks"][0]["id"] = self.task
        return asked

    def ask(self, body: JSONObject) -> list[JSONObject]:
        response = requests.post(f"{self.url}/predict", json=body, timeout=90)
        assert response.status_code == 200, response.text
        for region in response.json()["results"][0]["result"]:
            check_brush_region(region, body)
        regions: list[JSONObject] = response.json()["results"][0]["result"]
        return regions

    def click(self, waves: list[Sent], pool: ThreadPoolExecutor) -> dict[str, JSONObject]:
        """Send requests at their times; the region of each point in the last answer with it."""
        started = time.monotonic()
        asked = []
        for at, keys in waves:
            time.sleep(max(started + at - time.monotonic(), 0))
            asked.append((keys, pool.submit(self.ask, self.body(keys))))
        last: dict[str, JSONObject] = {}
        for keys, future in asked:
            regions = future.result()
            newest = [key for key in keys if not any(key in later for later in after(keys, waves))]
            for key in newest:
                (last[key],) = self.of(regions, key)
        return last

    def of(self, regions: list[JSONObject], key: str) -> list[JSONObject]:
        """The regions whose only click is a point."""
        mine = f"{self.name}-{key}"
        return [r for r in regions if [c[0] for c in r["meta"]["edgeflow"]["clicks"]] == [mine]]


def after(keys: list[str], waves: list[Sent]) -> list[list[str]]:
    """The points of later requests."""
    sent = [points for _, points in waves]
    return sent[sent.index(keys) + 1 :]


@pytest.fixture
def alone(backend_url: str) -> dict[str, JSONObject]:
    """Each coin's region in a task of its own."""
    found = {}
    for key in ALL:
        (found[key],) = Annotator(backend_url, f"alone {key}", "slow").ask(
            Annotator(backend_url, f"alone {key}", "slow").body([key])
        )
    return found


def check(found: dict[str, JSONObject], alone: dict[str, JSONObject]) -> None:
    assert sorted(found) == sorted(ALL)
    assert len({region["id"] for region in found.values()}) == len(ALL)
    for key, region in found.items():
        assert region["value"] == alone[key]["value"], key


def test_each_of_twelve_coins_gets_its_region(
    backend_url: str, alone: dict[str, JSONObject]
) -> None:
    with ThreadPoolExecutor(WORKERS) as pool:
        found = Annotator(backend_url, "one", "ann").click(WAVES, pool)
        check(found, alone)


def test_two_annotators_of_one_task_get_theirs(
    backend_url: str, alone: dict[str, JSONObject]
) -> None:
    with ThreadPoolExecutor(WORKERS) as pool:
        people = [Annotator(backend_url, "shared", name) for name in ("ann", "ben")]
        clicking = [pool.submit(person.click, WAVES, pool) for person in people]
        ids = set()
        for future in clicking:
            check(future.result(), alone)
            ids |= {region["id"] for region in future.result().values()}
    assert len(ids) == 2 * len(ALL)


def test_requests_that_arrive_in_another_order_are_told_apart(
    backend_url: str, alone: dict[str, JSONObject]
) -> None:
    """The newest first, and the others while it is under way."""
    whole = [keys for _, keys in WAVES if "p1" in keys]
    person = Annotator(backend_url, "disorder", "ann")
    with ThreadPoolExecutor(WORKERS) as pool:
        asked = [pool.submit(person.ask, person.body(keys)) for keys in reversed(whole)]
        regions = asked[0].result()
    for key in whole[-1]:
        (region,) = person.of(regions, key)
        assert region["value"] == alone[key]["value"], key


def test_requests_that_nobody_waits_for_count_too(
    backend_url: str, alone: dict[str, JSONObject]
) -> None:
    person = Annotator(backend_url, "cancelled", "ann")
    *given_up, (_, keys) = [wave for wave in WAVES if "p1" in wave[1]]
    for _, earlier in given_up[-3:]:
        connection = http.client.HTTPConnection(urlsplit(backend_url).netloc)
        body = json.dumps(person.body(earlier))
        connection.request("POST", "/predict", body, {"Content-Type": "application/json"})
        time.sleep(0.3)  # it is read
        connection.close()
    regions = person.ask(person.body(keys))
    for key in keys:
        (region,) = person.of(regions, key)
        assert region["value"] == alone[key]["value"], key


def test_a_negative_click_among_them_is_of_the_coin_that_it_is_on(
    backend_url: str, alone: dict[str, JSONObject]
) -> None:
    person = Annotator(backend_url, "negative", "ann")
    x, y = RECORDED["points"]["p3"]
    size = {"original_width": 384, "original_height": 303, "id": "negative"}
    negative = {**keypoint(x + 2, y + 2, positive=False), **size}
    with ThreadPoolExecutor(WORKERS) as pool:
        earlier = pool.submit(person.ask, person.body(ALL[:5]))
        time.sleep(WAVES[1][0])  # nobody clicks sooner
        regions = person.ask(person.body(ALL[:5], negative))
        earlier.result()
    (shrunk,) = [r for r in regions if len(r["meta"]["edgeflow"]["clicks"]) == 2]
    assert [click[0] for click in shrunk["meta"]["edgeflow"]["clicks"]] == ["ann-p3", "negative"]
    for key in ("p1", "p2", "p4", "p5"):
        (region,) = person.of(regions, key)
        assert region["value"] == alone[key]["value"], key
    mask = decode_brush(shrunk["value"]["rle"], Size(303, 384)) > 0
    assert not mask[int((y + 2) / 100 * 303), int((x + 2) / 100 * 384)]
