"""Tasks come in the order in which the network is least sure of them, in a real Label Studio."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from demo.label_studio import TOKEN
from edgeflow.checkpoints.checkpoint import DEFAULT_MODEL, find
from edgeflow.images import decode_image
from tests.contract.wire import JSONObject, keypoint
from tests.e2e.conftest import PHOTOS, Studio

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

NAMES = ("coins", "cat", "rocket", "coffee")


def order(studio: Studio, project: int, *words: str) -> str:
    command = Path(sys.executable).with_name("edgeflow-backend")
    environment = {**os.environ, "LABEL_STUDIO_URL": studio.url, "LABEL_STUDIO_API_KEY": TOKEN}
    done = subprocess.run(
        [command, "learn", "order", "--project", str(project), *words],
        env=environment, capture_output=True, text=True, timeout=600, check=True,
    )  # fmt: skip
    return done.stdout


def predictions(studio: Studio, project: int) -> list[JSONObject]:
    found: list[JSONObject] = studio.client.call("GET", "predictions", params={"project": project})
    return found


def click(studio: Studio, project: int, task: int, photo: str, x: float, y: float) -> JSONObject:
    """What an annotator's click is answered with."""
    height, width, _ = decode_image((PHOTOS / f"{photo}.jpg").read_bytes()).shape
    point = keypoint(x, y, original_width=width, original_height=height)
    (backend,) = studio.client.call("GET", "ml", params={"project": project})
    body = {"task": task, "context": {"result": [point]}}
    path = f"ml/{backend['id']}/interactive-annotating"
    answer: JSONObject = studio.client.call("POST", path, json=body)["data"]
    return answer


def test_the_next_task_is_the_one_that_the_network_is_least_sure_of(studio: Studio) -> None:
    project = studio.project("order", list(NAMES))["id"]
    tasks = [task["id"] for task in studio.client.tasks(project)]
    (region,) = click(studio, project, tasks[0], NAMES[0], 11.5, 17.8)["result"]
    suggested = {"task": tasks[0], "model_version": find(DEFAULT_MODEL).version}
    studio.client.call("POST", "predictions", json={**suggested, "result": [region]})

    assert "now" in order(studio, project, "--apply", "--sampling")
    places = {
        each["task"]: (each["score"], each["cluster"])
        for each in predictions(studio, project)
        if each["cluster"] is not None
    }
    assert places.keys() == set(tasks)
    assert len({score for score, _ in places.values()}) == len(tasks)

    # What somebody opens shows the suggestion as before, and further clicks are answered.
    opened = studio.client.call("GET", f"tasks/{tasks[0]}")["predictions"]
    assert [each["result"] for each in opened] == [[region], [region]]
    for task, name in list(zip(tasks, NAMES, strict=True))[:2]:
        assert click(studio, project, task, name, 40.4, 16.5)["result"]

    done: Counter[int] = Counter()
    for left in range(len(tasks), 0, -1):
        following = studio.client.call("GET", f"projects/{project}/next")
        least = min(places.values(), key=lambda place: (done[place[1]], place[0]))
        assert places.pop(following["id"]) == least
        assert len(places) == left - 1
        shown = [[region]] if following["id"] == tasks[0] else []
        assert [each["result"] for each in following["predictions"]] == shown
        studio.client.call("POST", f"tasks/{following['id']}/annotations/", json={"result": []})
        done[least[1]] += 1

    before = predictions(studio, project)
    order(studio, project, "--apply")
    assert len(predictions(studio, project)) == len(before)
