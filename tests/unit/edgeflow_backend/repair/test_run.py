from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from edgeflow.checkpoints.checkpoint import DEFAULT_MODEL
from edgeflow_backend.label_studio.access import open_api
from edgeflow_backend.protocol.project import ProjectRef
from edgeflow_backend.repair.lost import NO_SIGN
from edgeflow_backend.repair.run import Line, repair, repair_project
from edgeflow_backend.repair.store import Form
from edgeflow_backend.service import SegmentationService
from edgeflow_backend.settings import Settings
from tests.contract.wire import JSONObject
from tests.unit.conftest import MakeService
from tests.unit.edgeflow_backend.loopback import Host, Received, Reply
from tests.unit.edgeflow_backend.repair.test_lost import CONFIG
from tests.unit.edgeflow_backend.samples import click, disk_request

PROJECT = ProjectRef("", "3")
CHOICE = {"id": "other", "type": "choices", "from_name": "c", "value": {"choices": ["x"]}}
CLICKS = [click(45, 50), click(8, 8, positive=False)]


class Studio:
    """A Label Studio with one project, as far as a repair asks it."""

    def __init__(self, host: Host, tasks: list[JSONObject], config: str = CONFIG) -> None:
        self.host = host
        self.tasks = tasks
        self.changed_at: str | None = None
        host.routes["/api/projects/3"] = as_json({"id": 3, "label_config": config})
        host.routes["/api/tasks/"] = self._page
        host.routes["/api/predictions/"] = self._predict
        for task in tasks:
            for annotation in task["annotations"]:
                host.routes[f"/api/annotations/{annotation['id']}/"] = self._annotation

    @property
    def writes(self) -> list[Received]:
        """The requests that change something."""
        return [request for request in self.host.received if request.method != "GET"]

    def repair(self, form: Form, service: SegmentationService | None = None) -> list[Line]:
        api = open_api(Settings(label_studio_url=self.host.url, label_studio_api_key="0123"))
        load = None if service is None else lambda: service
        return list(repair(api, PROJECT, form, max_clicks=100, load=load))

    def _page(self, request: Received, _: BaseHTTPRequestHandler) -> Reply:
        return as_json({"tasks": self.tasks if "page=1" in request.path else []})

    def _predict(self, request: Received, _: BaseHTTPRequestHandler) -> Reply:
        body = json.loads(request.body)
        (task,) = [task for task in self.tasks if task["id"] == body["task"]]
        task["predictions"].append(body)
        return as_json(body, 201)

    def _annotation(self, request: Received, _: BaseHTTPRequestHandler) -> Reply:
        number = int(request.path.split("/")[3])
        found = next(a for task in self.tasks for a in task["annotations"] if a["id"] == number)
        if request.method == "PATCH":
            found |= json.loads(request.body)
        return as_json({**found, "updated_at": self.changed_at or found["updated_at"]})


def as_json(body: object, status: int = 200) -> Reply:
    return Reply(status, json.dumps(body).encode(), {"Content-Type": "application/json"})


def task(number: int, *result: JSONObject, **changes: Any) -> JSONObject:
    """A task with an annotation that was submitted too early."""
    return {
        "id": number,
        "data": disk_request()["tasks"][0]["data"],
        "predictions": [],
        "drafts": [],
        "draft_exists": False,
        "annotations": [
            {"id": 10 * number, "result": list(result or CLICKS), "updated_at": "2026-05-04"}
        ],
        **changes,
    }


def texts(lines: list[Line]) -> list[str]:
    return [line.text for line in lines]


# Without --apply


def test_a_dry_run_says_what_it_would_do_and_changes_nothing(host: Host) -> None:
    studio = Studio(host, [task(1), task(2, CHOICE, click(50, 50)), task(3, CHOICE)])
    first, second, last = texts(studio.repair("predictions"))
    where = "for a mask in BrushLabels 'mask' as Object"
    assert first == f"task 1, annotation 10: 2 clicks (1 negative) {where}"
    assert second == f"task 2, annotation 20: 1 click {where}"
    assert last == (
        "2 annotations hold points without a mask: 2 masks would be stored as predictions"
    )
    assert studio.writes == []


def test_what_is_left_out_is_said_with_the_reason(host: Host) -> None:
    unsigned = click(30, 30)
    del unsigned["is_positive"]
    first, last = Studio(host, [task(1, unsigned)]).repair("predictions")
    assert first.text == f"task 1, annotation 10: 1 left out: {NO_SIGN}"
    assert (first.verdict, first.advice) == ("warn", "open the task and click again")
    assert last.text.endswith("0 masks would be stored as predictions")


def test_a_prompt_that_the_config_has_no_place_for_is_left_out(host: Host) -> None:
    config = CONFIG.replace("BrushLabels", "EllipseLabels")
    first, _ = Studio(host, [task(1)], config).repair("predictions")
    assert "2 left out: the labelling config has no mask control for 'image'" in first.text
    assert first.advice.startswith("add <Brush")


def test_a_project_without_lost_masks_is_well(host: Host) -> None:
    skipped = task(1)
    skipped["annotations"][0]["was_cancelled"] = True
    lines = Studio(host, [skipped, task(2, CHOICE)]).repair("annotations")
    assert texts(lines) == ["no annotation holds points without a mask"]


# With it


def test_predictions_leave_the_annotations_alone_and_are_stored_once(
    host: Host, make_service: MakeService
) -> None:
    studio = Studio(host, [task(1)])
    lines = studio.repair("predictions", make_service())
    assert lines[0].text.startswith("task 1, annotation 10: stored a mask, score 0.")
    assert lines[1].text.endswith(": 1 mask stored as predictions")
    assert [request.method for request in studio.writes] == ["POST"]
    (prediction,) = studio.tasks[0]["predictions"]
    (region,) = prediction["result"]
    assert [click[0] for click in region["meta"]["edgeflow"]["clicks"]] == [c["id"] for c in CLICKS]
    assert prediction["model_version"].startswith(f"{DEFAULT_MODEL}-")
    assert prediction["score"] == region["score"]

    again = texts(studio.repair("predictions", make_service()))
    assert again[0] == "task 1, annotation 10: 1 left out: a prediction has the mask already"
    assert len(studio.writes) == 1


def test_an_annotation_gets_its_masks_and_keeps_all_else(
    host: Host, make_service: MakeService
) -> None:
    studio = Studio(host, [task(1, CHOICE, *CLICKS)])
    lines = studio.repair("annotations", make_service())
    assert lines[-1].text.endswith(": 1 mask stored as annotations")
    (sent,) = studio.writes
    assert list(json.loads(sent.body)) == ["result"]
    kept, mask = studio.tasks[0]["annotations"][0]["result"]
    assert kept == CHOICE
    assert mask["type"] == "brushlabels"
    again = texts(studio.repair("annotations", make_service()))
    assert again == ["no annotation holds points without a mask"]


def test_a_newer_version_is_never_overwritten(host: Host, make_service: MakeService) -> None:
    studio = Studio(host, [task(1)])
    studio.changed_at = "2026-05-05"
    lines = studio.repair("annotations", make_service())
    assert "somebody has changed the annotation meanwhile" in lines[0].text
    assert lines[0].verdict == "fail"
    assert studio.writes == []


@pytest.mark.parametrize("draft", [{"draft_exists": True}, {"drafts": [{"id": 1, "result": []}]}])
def test_an_annotation_that_somebody_works_on_is_left_alone(
    host: Host, make_service: MakeService, draft: JSONObject
) -> None:
    studio = Studio(host, [task(1, **draft)])
    for service in (None, make_service()):
        lines = studio.repair("annotations", service)
        assert "somebody has a draft in this task" in lines[0].text
        assert lines[0].verdict == "fail"
    assert studio.writes == []
    assert {line.verdict for line in studio.repair("predictions")} == {"ok"}


def test_what_fails_is_said_and_the_rest_is_done(host: Host, make_service: MakeService) -> None:
    broken = task(1, data={"image": "data:image/png;base64,AAAA"})
    refused = task(2)
    studio = Studio(host, [broken, refused, task(3)])
    host.routes["/api/annotations/20/"] = lambda request, handler: (
        as_json({"detail": "not yours"}, 403)
        if request.method == "PATCH"
        else studio._annotation(request, handler)
    )
    lines = studio.repair("annotations", make_service())
    assert [line.verdict for line in lines] == ["fail", "fail", "ok", "ok"]
    assert lines[0].text.startswith("task 1, annotation 10: not stored: ")
    assert "not yours" in lines[1].text
    assert lines[3].text.endswith(": 1 mask stored as annotations")


def test_the_model_is_loaded_once_and_only_for_a_mask(
    host: Host, make_service: MakeService
) -> None:
    loaded: list[SegmentationService] = []

    def load() -> SegmentationService:
        loaded.append(make_service())
        return loaded[-1]

    api = open_api(Settings(label_studio_url=host.url, label_studio_api_key="0123"))
    for tasks, times in (([task(1, CHOICE)], 0), ([task(1), task(2)], 1)):
        Studio(host, tasks)
        list(repair(api, PROJECT, "predictions", max_clicks=100, load=load))
        assert len(loaded) == times


# A project of a Label Studio in the settings


@pytest.mark.parametrize("host_name", ["", "team-b"])
def test_a_label_studio_that_the_settings_do_not_name_is_an_error_with_a_way_out(
    host_name: str,
) -> None:
    project = ProjectRef(host_name, "3")
    (line,) = repair_project(Settings(), project, "predictions", apply=False)
    assert line.verdict == "fail"
    assert "LABEL_STUDIO_URL" in line.advice


def test_a_project_that_cannot_be_read_is_an_error_with_a_way_out(host: Host) -> None:
    host.routes["*"] = as_json({"detail": "No Project matches"}, 404)
    settings = Settings(label_studio_url=host.url, label_studio_api_key="0123")
    (line,) = repair_project(settings, PROJECT, "predictions", apply=False)
    assert line.verdict == "fail"
    assert "No Project matches" in line.text
    assert "check the id" in line.advice


@pytest.mark.parametrize("name", ["", "team-b"])
def test_a_project_of_any_label_studio_in_the_settings_is_read(host: Host, name: str) -> None:
    Studio(host, [task(1)])
    studios = {"team-b": {"url": host.url, "api_key": "0123"}} if name else {}
    settings = Settings(label_studio_url="" if name else host.url, label_studio_hosts=studios)
    lines = list(repair_project(settings, ProjectRef(name, "3"), "predictions", apply=False))
    assert len(lines) == 2
