"""A replica is killed while twenty people click: nobody loses a click, nobody gets another mask."""

from __future__ import annotations

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import requests

from demo.ray_head import Head
from tests.cluster.test_door import metric, post
from tests.contract.wire import JSONObject, keypoint, request

ANNOTATORS = 20
CLICKS = 3


def clicks_of(number: int, name: str = "lost") -> list[JSONObject]:
    """The requests of somebody who clicks on one object."""
    bodies, points = [], []
    for each in range(CLICKS):
        points.append(keypoint(40 + 3.0 * each, 45.0 + number, key=f"{name}{number}"))
        body = request(*points, image=f"/data/upload/1/{name}-{number}.png")
        body["tasks"][0]["id"] = f"{name} {number}"
        bodies.append(body)
    return bodies


def test_nothing_is_lost_and_nothing_is_wrong(door: str, one: str, head: Head) -> None:
    before = metric(door, "edgeflow_cluster_retries_total")
    first, *_ = head.replicas()

    def annotate(url: str, number: int) -> list[JSONObject]:
        return [post(url, body) for body in clicks_of(number)]

    with ThreadPoolExecutor(ANNOTATORS) as pool:
        answers = pool.map(partial(annotate, door), range(ANNOTATORS))
        time.sleep(1)
        os.kill(first, signal.SIGKILL)
        there = list(answers)
    with ThreadPoolExecutor(4) as pool:
        here = list(pool.map(partial(annotate, one), range(ANNOTATORS)))
    for mine, theirs in zip(here, there, strict=True):
        for ours, answer in zip(mine, theirs, strict=True):
            assert answer["status"] == 200
            assert answer["results"][0]["result"], answer
            assert answer == ours
    assert metric(door, "edgeflow_cluster_retries_total") > before


def test_a_lost_replica_is_replaced(door: str, head: Head) -> None:
    first, *_ = head.replicas()
    os.kill(first, signal.SIGKILL)
    deadline = time.monotonic() + 60
    while len(head.replicas()) < 2 or first in head.replicas():
        assert time.monotonic() < deadline
        time.sleep(0.2)
    while "2 of 2" not in requests.get(f"{door}/health", timeout=10).json()["runtime"]:
        assert time.monotonic() < deadline
        time.sleep(0.2)
