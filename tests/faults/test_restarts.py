"""What is left of the work when the backend ends, by force or by request, and starts again."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgeflow.checkpoints.checkpoint import DEFAULT_MODEL, shipped_folder
from edgeflow.checkpoints.manifest import MANIFEST
from edgeflow.geometry import Size
from edgeflow.label_studio.brush_rle import decode_brush
from tests.contract.wire import JSONObject
from tests.faults.annotators import ANSWER_S, Place, Task, at_once, clicks_on
from tests.faults.backends import START_S, OneProcess, has_read_all, health, until
from tests.faults.hosts import NAMES, SIZE, picture
from tests.faults.oracle import RIGHT, Asked
from tests.faults.pending import Pending
from tests.faults.world import PATIENT, World, world

UNDER_WAY = 12
OTHER_MODEL = "edgeflow_lite_v2"
OLD_MODEL = DEFAULT_MODEL
SECOND_MODEL = "second"
PROJECT_OF_THE_OLD, PROJECT_OF_THE_SECOND = 7, 8
FIRST = clicks_on("astronaut", 0, 1)[0]


@pytest.fixture(scope="module")
def lasting() -> Iterator[World]:
    """A world whose disk cache holds every picture."""
    with world(disk_cache_mb=64, settings=PATIENT) as made:
        yield made


def process_of(world: World) -> OneProcess:
    assert isinstance(world.backend, OneProcess)
    return world.backend


def open_task(world: World, number: int, person: str = "a") -> Task:
    """Of one picture each."""
    name = NAMES[number % len(NAMES)]
    image = f"{world.pictures.url}/{name}.png"
    return Task(world.backend.url, number, image, (picture(name),), person)


def place_on(region: JSONObject, away_from: Place) -> Place:
    """The place on a mask that is farthest from another."""
    width, height = SIZE
    rows, columns = np.nonzero(decode_brush(region["value"]["rle"], Size(height, width)))
    x, y = (columns + 0.5) / width * 100, (rows + 0.5) / height * 100
    farthest = np.argmax(np.hypot(x - away_from[0], y - away_from[1]))
    return float(x[farthest]), float(y[farthest]), True


def judged(world: World, asked: Asked) -> str:
    return world.oracle.judge(asked, within_s=ANSWER_S)


def watch_start(world: World) -> None:
    """Assert that it says what it is about until it is ready."""
    until(lambda: process_of(world).listens)
    started = time.monotonic()
    while (answer := health(world.backend.url)).status_code == 503:
        assert answer.json()["status"] == "LOADING"
        assert answer.json()["error"]["hint"]
        assert time.monotonic() - started < START_S
    assert answer.json()["status"] == "UP"


def test_after_a_kill_all_goes_on_with_the_pictures_of_the_disk(lasting: World) -> None:
    """The second and later clicks of objects that the dead process knew all about."""
    tasks = [open_task(lasting, number) for number in range(4)]
    places = [clicks_on(NAMES[number], 0, 0) for number in range(4)]
    for task, clicks in zip(tasks, places, strict=True):
        assert judged(lasting, task.click(*clicks[0])) == RIGHT
    pending = []
    for task, clicks in zip(tasks, places, strict=True):
        task.place(*clicks[1])
        pending.append(Pending(task))
    lasting.backend.kill()
    for each in pending:
        assert judged(lasting, each.read()) in (RIGHT, "broken")
    process_of(lasting).launch()
    watch_start(lasting)
    with lasting.pictures.behaving("down"):
        for asked in at_once([task.ask for task in tasks]):
            assert judged(lasting, asked) == RIGHT


@pytest.fixture(scope="module")
def second_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a further model, whose file is cut short."""
    folder = tmp_path_factory.mktemp("models")
    entry = json.loads((shipped_folder() / MANIFEST).read_text())["models"][OLD_MODEL]
    (folder / MANIFEST).write_text(json.dumps({"format": 1, "models": {SECOND_MODEL: entry}}))
    shutil.copy(shipped_folder() / entry["file"], folder)
    os.truncate(folder / entry["file"], 1_000_000)
    return folder


@pytest.fixture(scope="module")
def swapped(lasting: World, second_model: Path) -> Task:
    """A task with a mask that other weights made, before a restart with those of now."""
    task = open_task(lasting, 200)
    old = task.click(*FIRST)
    assert judged(lasting, old) == RIGHT
    task.accept(old)
    backend = process_of(lasting)
    backend.terminate()
    models = {PROJECT_OF_THE_OLD: OLD_MODEL, PROJECT_OF_THE_SECOND: SECOND_MODEL}
    backend.environment["EDGEFLOW_MODEL"] = OTHER_MODEL
    backend.environment["EDGEFLOW_PROJECT_MODELS"] = json.dumps(models)
    backend.environment["EDGEFLOW_MODELS_DIR"] = str(second_model)
    backend.start()
    return task


def test_after_new_weights_a_mask_of_the_old_ones_is_refined_from_itself(
    lasting: World, swapped: Task
) -> None:
    (old,) = swapped.drafts
    asked = swapped.click(*place_on(old, away_from=FIRST))
    assert judged(lasting, asked) == RIGHT
    (prediction,) = asked.answer["results"]
    assert prediction["model_version"] == health(lasting.backend.url).json()["model_version"]
    assert prediction["model_version"].startswith(f"{OTHER_MODEL}-")
    (region,) = prediction["result"]
    assert region["id"] == old["id"]
    assert region["meta"]["edgeflow"]["from_mask"]
    assert region["meta"]["edgeflow"]["model"] != old["meta"]["edgeflow"]["model"]
    assert judged(lasting, open_task(lasting, 201).click(*FIRST)) == RIGHT


@pytest.mark.usefixtures("swapped")
def test_two_models_at_once_answer_for_their_own_projects(lasting: World) -> None:
    tasks = [
        replace(
            open_task(lasting, 300 + number % 4, f"m{number}"),
            project=PROJECT_OF_THE_OLD if number % 2 else 1,
        )
        for number in range(8)
    ]
    for order in range(2):
        for number, task in enumerate(tasks):
            task.place(*clicks_on(NAMES[number % 4], 0, number)[order])
        for number, asked in enumerate(at_once([task.ask for task in tasks])):
            assert judged(lasting, asked) == RIGHT
            model = asked.answer["results"][0]["model_version"].rpartition("-")[0]
            assert model == (OLD_MODEL if number % 2 else OTHER_MODEL)


@pytest.mark.usefixtures("swapped")
def test_a_second_model_that_is_spoilt_costs_its_own_project_only_and_until_it_is_mended(
    lasting: World, second_model: Path
) -> None:
    def click(project: int) -> Asked:
        return replace(open_task(lasting, 400), project=project).click(*FIRST)

    assert judged(lasting, click(PROJECT_OF_THE_SECOND)) == "checkpoint"
    assert judged(lasting, click(PROJECT_OF_THE_OLD)) == RIGHT
    for weights in shipped_folder().glob(f"{OLD_MODEL}.*"):
        shutil.copy(weights, second_model)
    (prediction,) = click(PROJECT_OF_THE_SECOND).answer["results"]
    assert prediction["model_version"].startswith(f"{SECOND_MODEL}-")
    assert prediction["result"]


def test_told_to_stop_it_answers_all_that_it_was_asked(lasting: World) -> None:
    backend = process_of(lasting)
    tasks = [open_task(lasting, 100 + number, f"p{number}") for number in range(UNDER_WAY)]
    for number, task in enumerate(tasks):
        task.place(*clicks_on(NAMES[number % len(NAMES)], 1, number)[0])
    *pending, slow = [Pending(task, upto=0.5 if task is tasks[-1] else 1.0) for task in tasks]
    until(lambda: has_read_all(backend.port))
    backend.ask_to_stop()
    until(lambda: not backend.listens)
    slow.send_rest()  # had begun before
    for each in [*pending, slow]:
        assert judged(lasting, each.read()) == RIGHT
    assert backend.wait() == 0
