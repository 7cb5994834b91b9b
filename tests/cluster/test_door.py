"""A door with two replicas answers as one process does, bit for bit."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from demo.label_studio import Service
from demo.ray_head import Head
from tests.contract.images import TOKEN
from tests.contract.test_captured_requests import BATCH, INTERACTIVE
from tests.contract.test_similar import body as example_among_coins
from tests.contract.wire import JSONObject, captured, keypoint, request


def post(url: str, body: JSONObject) -> JSONObject:
    response = requests.post(f"{url}/predict", json=body, timeout=60)
    return {"status": response.status_code, **response.json()}


def metric(url: str, name: str) -> float:
    lines = requests.get(f"{url}/metrics", timeout=10).text.splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith(name))


def of_own_task(name: str) -> JSONObject:
    """A captured request; seconds lay between the clicks of one person, which nobody waits for."""
    body = captured(name)
    body["tasks"][0]["id"] = name
    return body


def without_trouble(answer: Any) -> Any:
    """An answer without the number under which a log knows its error."""
    if isinstance(answer, dict):
        return {key: without_trouble(value) for key, value in answer.items() if key != "error"} | {
            key: {name: text for name, text in error.items() if name != "id"}
            for key, error in answer.items()
            if key == "error"
        }
    return [without_trouble(each) for each in answer] if isinstance(answer, list) else answer


def test_captured_requests_are_answered_as_by_one_process(door: str, one: str) -> None:
    names = INTERACTIVE[::3] + BATCH[::3]
    with ThreadPoolExecutor(8) as pool:
        bodies = [of_own_task(name) for name in names]
        here = list(pool.map(lambda body: post(one, body), bodies))
        there = list(pool.map(lambda body: post(door, body), bodies))
    answered = 0
    for name, ours, theirs in zip(names, here, there, strict=True):
        assert without_trouble(theirs) == without_trouble(ours), name
        answered += bool(ours["results"][0] and ours["results"][0]["result"])
    assert answered > 10


def test_all_like_an_example_are_found_as_by_one_process(door: str, one: str) -> None:
    asked = example_among_coins(10, 16, "similar", "similar")
    here, there = (post(url, asked)["results"][0] for url in (one, door))
    assert there == here
    assert len(there["result"]) > 20


@pytest.mark.parametrize(
    "image",
    ["missing.png", "html", "truncated.png", "huge.png", "large-file.png", "unauthorised.png"],
)
def test_errors_of_replicas_keep_code_message_and_hint(door: str, one: str, image: str) -> None:
    body = request(keypoint(43, 60), image=f"/data/upload/1/{image}")
    here, there = (post(url, body)["results"][0] for url in (one, door))
    assert without_trouble(here) == without_trouble(there)
    if image != "truncated.png":  # it is answered, with a note
        assert there["error"]["hint"]


def test_notes_on_images_reach_the_doors_status_page(door: str) -> None:
    post(door, request(keypoint(43, 60), image="/data/upload/1/truncated-2.png"))
    notes = requests.get(f"{door}/status?format=json", timeout=10).json()["notes"]
    assert any("truncated-2.png" in note["message"] for note in notes)


def test_later_clicks_find_their_states_in_the_replica_that_they_go_to(door: str) -> None:
    """Each later click takes one network run, not the replay of those before it."""
    before, objects, clicks = metric(door, "edgeflow_network_steps_total"), 8, 4

    def click_on(number: int) -> None:
        points = []
        for each in range(clicks):
            points.append(keypoint(40 + 4.0 * each, 50.0 + each, key=f"hit{number}"))
            body = request(*points, image=f"/data/upload/1/hit-{number}.png")
            body["tasks"][0]["id"] = f"hit {number}"
            assert post(door, body)["results"][0]["result"]

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(click_on, range(objects)))
    steps = metric(door, "edgeflow_network_steps_total") - before
    replayed = steps - objects * clicks
    assert replayed <= 0.05 * objects * (clicks - 1)


def test_health_status_and_metrics_speak_of_the_replicas(door: str) -> None:
    assert (
        requests.get(f"{door}/health", timeout=10).json()["runtime"].endswith("on 2 of 2 replicas")
    )
    assert metric(door, "edgeflow_cluster_replicas ") == 2
    assert metric(door, "edgeflow_queue_seconds_count") > 0
    assert metric(door, 'edgeflow_cache_bytes{cache="images"}') > 0
    status = requests.get(f"{door}/status?format=json", timeout=10).json()
    assert {cache["name"]: cache["max_bytes"] for cache in status["caches"]} == {
        "images": 2 * 64_000_000,
        "click states": 2 * 64_000_000,
        "features": 2 * 128_000_000,
    }


def test_logs_of_door_and_replicas_hold_no_token(
    door: str, door_service: Service, head: Head
) -> None:
    post(door, request(keypoint(43, 60), image="/data/upload/1/secret.png?token=s3cr3t-in-a-url"))
    logs = [door_service.log, *(path for path in head.logs.rglob("*") if path.is_file())]
    texts = {path: path.read_bytes() for path in logs}
    assert len(texts) > 5
    token = Path(head.environment["RAY_AUTH_TOKEN_PATH"]).read_bytes()
    for secret in (TOKEN.encode(), b"s3cr3t-in-a-url", token):
        assert [path for path, text in texts.items() if secret in text] == []


def test_without_a_cluster_ray_is_never_loaded(
    one: str, one_service: Service, door_service: Service
) -> None:
    assert post(one, request(keypoint(43, 60)))["results"][0]["result"]
    loaded = [
        Path(f"/proc/{service.process.pid}/maps").read_text()
        for service in (one_service, door_service)
    ]
    assert ["_raylet" in libraries for libraries in loaded] == [False, True]
