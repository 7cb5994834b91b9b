from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

from edgeflow.label_studio.api.errors import LabelStudioError
from edgeflow.learning.order.certainty import Sizes
from edgeflow_backend.errors import FetchError
from edgeflow_backend.learning.order import command as module
from edgeflow_backend.learning.order.command import order_tasks
from edgeflow_backend.learning.order.looking import Looked
from edgeflow_backend.settings import Settings
from tests.contract.wire import JSONObject
from tests.unit.edgeflow_backend.examples.studio import CONFIG, PROJECT, as_json
from tests.unit.edgeflow_backend.learning.learning import REF
from tests.unit.edgeflow_backend.loopback import Host, Received, Reply

TITLE = "EdgeFlow"


class Project:
    """A Label Studio with one project, as far as the order of its tasks is concerned."""

    def __init__(self, host: Host) -> None:
        self.record: JSONObject = {
            "id": PROJECT, "label_config": CONFIG, "model_version": TITLE,
            "show_collab_predictions": True, "sampling": "Sequential sampling",
        }  # fmt: skip
        self.annotated: set[int] = set()
        self.predictions: dict[int, JSONObject] = {}
        self.count = 6
        self.sent: list[str] = []
        host.routes["*"] = self._answer

    def predict(self, task: int, **fields: Any) -> int:
        number = len(self.predictions) + 1
        self.predictions[number] = {"id": number, "task": task, **fields}
        return number

    def places(self) -> dict[int, tuple[float, int]]:
        return {
            each["task"]: (each["score"], each["cluster"])
            for each in self.predictions.values()
            if each["model_version"] == TITLE
        }

    def _answer(self, request: Received, _: BaseHTTPRequestHandler) -> Reply:
        parts = urlsplit(request.path)
        words, body = parts.path.strip("/").split("/"), request.body
        if request.method != "GET":
            self.sent.append(f"{request.method} {parts.path}")
        changes = json.loads(body) if body else {}
        if words[1] == "projects":
            self.record |= changes
            return as_json(self.record)
        if words[1] == "ml":
            return as_json([{"id": 1, "url": "http://x", "title": TITLE, "is_interactive": True}])
        if words[1] == "tasks":
            page = int(parse_qs(parts.query)["page"][0])
            return as_json({"tasks": [self._head(n) for n in self._ids()] if page == 1 else []})
        if request.method == "GET":
            task = int(parse_qs(parts.query)["task"][0])
            return as_json([each for each in self.predictions.values() if each["task"] == task])
        if request.method == "POST":
            return as_json({"id": self.predict(**changes)}, 201)
        self.predictions[int(words[2])] |= changes
        return as_json({})

    def _ids(self) -> range:
        return range(1, self.count + 1)

    def _head(self, task: int) -> JSONObject:
        versions = [p["model_version"] for p in self.predictions.values() if p["task"] == task]
        return {
            "id": task, "data": {"image": f"{task}.png"},
            "total_annotations": int(task in self.annotated), "total_predictions": len(versions),
            "predictions_model_versions": ",".join(versions),
        }  # fmt: skip


class Looker:
    """Stands where a network does: tasks of even and of odd ids show images of two kinds."""

    def __init__(self) -> None:
        self.sizes: Sizes | None = Sizes(0.01, 0.1)
        self.shift = 0.0
        self.broken: set[int] = set()
        self.clicked: list[int] = []

    def look(self, task: int, _data: JSONObject, *, clicks: bool) -> Looked:
        if task in self.broken:
            raise FetchError("the image is gone", hint="put it back")
        summary = np.eye(4, dtype=np.float32)[task % 2] + task / 1000
        if clicks:
            self.clicked.append(task)
        return Looked(summary, task / 10 + self.shift if clicks else None)


@pytest.fixture
def project(host: Host) -> Project:
    return Project(host)


@pytest.fixture
def looker(monkeypatch: pytest.MonkeyPatch) -> Looker:
    looker = Looker()

    @contextlib.contextmanager
    def looking(*_: object) -> Iterator[Looker]:
        yield looker

    monkeypatch.setattr(module, "looking", looking)
    return looker


@pytest.fixture
def order(learning_settings: Callable[..., Settings], looker: Looker) -> Callable[..., list[str]]:
    assert looker

    def run(**options: Any) -> list[str]:
        return list(order_tasks(learning_settings(), REF, **{"most": 100, **options}))

    return run


def test_without_apply_the_least_sure_are_told_first_and_nothing_is_stored(
    project: Project, order: Callable[..., list[str]]
) -> None:
    lines = order(apply=False)
    assert [line.split(":")[0] for line in lines[:2]] == ["task 1", "task 2"]
    assert "6 tasks in order, of 2 kinds" in lines[6]
    assert "nothing is stored without --apply" in lines[7]
    assert project.sent == []


def test_each_task_without_annotation_gets_a_place_and_others_predictions_stay(
    project: Project, looker: Looker, order: Callable[..., list[str]]
) -> None:
    mine = {"model_version": "prelabel", "result": [{"id": "r"}], "score": 0.9, "cluster": None}
    project.predict(2, **mine)
    project.annotated = {5}
    lines = order(apply=True)
    places = project.places()
    assert {task: score for task, (score, _) in places.items()} == {
        1: 0.1, 2: 0.2, 3: 0.3, 4: 0.4, 6: 0.6,
    }  # fmt: skip
    assert {places[task][1] for task in (2, 4, 6)} == {0}
    assert {places[task][1] for task in (1, 3)} == {1}
    assert project.predictions[1] == {"id": 1, "task": 2, **mine}
    shown = {each["task"]: each["result"] for each in project.predictions.values()}
    assert [shown[task] for task in (1, 2)] == [[], [{"id": "r"}]]
    assert "choose Uncertainty sampling" in lines[-1]
    assert sorted(looker.clicked) == [1, 2, 3, 4, 6]


def test_a_second_run_changes_what_has_changed_and_makes_nothing_twice(
    project: Project, looker: Looker, order: Callable[..., list[str]]
) -> None:
    order(apply=True)
    project.sent.clear()
    order(apply=True)
    assert project.sent == []
    looker.shift = 0.05
    project.annotated = {6}
    order(apply=True)
    assert len(project.predictions) == project.count
    assert project.places()[1] == (0.15, 1)
    assert project.places()[6] == (1.0, 0)  # of its kind still, but it comes no more
    assert 6 in project.annotated
    assert looker.clicked.count(6) == 2


def test_an_image_that_cannot_be_had_leaves_its_task_out(
    project: Project, looker: Looker, order: Callable[..., list[str]]
) -> None:
    looker.broken = {3}
    lines = order(apply=True)
    assert "task 3: left out: the image is gone" in lines
    assert 3 not in project.places()
    assert len(project.places()) == 5


def test_it_is_said_where_nothing_was_accepted_yet(
    project: Project, looker: Looker, order: Callable[..., list[str]]
) -> None:
    assert project.count
    looker.sizes = None
    assert "fewer than 10 accepted objects" in order(apply=False)[0]


def test_of_many_tasks_the_same_ones_are_looked_at_again(
    project: Project, order: Callable[..., list[str]]
) -> None:
    project.count = 40
    lines = order(apply=True, most=10)
    first = set(project.places())
    assert len(first) == 10
    assert any("30 more tasks not looked at" in line for line in lines)
    project.annotated = set(sorted(first)[:4])
    order(apply=True, most=10)
    assert len(project.places()) == 14
    assert first < set(project.places())


def test_the_project_follows_the_order_if_that_is_asked_for(
    project: Project, order: Callable[..., list[str]]
) -> None:
    project.record |= {"model_version": "", "show_collab_predictions": False}
    lines = order(apply=True, sampling=True)
    assert project.record["sampling"] == "Uncertainty sampling"
    assert project.record["model_version"] == TITLE
    assert lines[-1] == "  the project serves its tasks in this order now"


def test_predictions_that_annotators_are_shown_are_not_hidden(
    project: Project, order: Callable[..., list[str]]
) -> None:
    project.record["model_version"] = "prelabel 1"
    with pytest.raises(LabelStudioError, match="prelabel 1") as caught:
        order(apply=True, sampling=True)
    assert "Settings › Annotation" in caught.value.hint
    assert project.sent == []


def test_one_that_is_told_to_stop_stores_nothing(
    project: Project, looker: Looker, order: Callable[..., list[str]]
) -> None:
    order(apply=True, stop=lambda: len(looker.clicked) > 2)
    assert project.sent == []
