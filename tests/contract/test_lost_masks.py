"""Submitted before the mask was accepted: the status page names the task."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.contract.wire import BODIES, JSONObject, captured

LOST = sorted(path.name for path in BODIES.glob("submitted_*_webhook.json"))
OTHERS = sorted(path.name for path in BODIES.glob("ui_*_webhook.json"))


def post(backend_url: str, body: JSONObject) -> None:
    response = requests.post(f"{backend_url}/webhook", json=body, timeout=1)
    assert response.status_code == 201, response.text


def listed(backend_url: str, project: int) -> list[str]:
    """The tasks that the status page names of a project."""
    status = requests.get(f"{backend_url}/status?format=json", timeout=10).json()
    found: list[dict[str, Any]] = [e for e in status["lost"] if e["project"] == str(project)]
    return [task for each in found for task in each["tasks"]]


@pytest.mark.parametrize("name", LOST)
def test_a_lost_mask_is_listed_until_the_annotation_has_it_or_is_gone(
    backend_url: str, name: str
) -> None:
    body = captured(name)
    project, task = body["project"]["id"] + 1000, str(body["task"]["id"])
    body["project"]["id"] = project
    deleted = {"project": {"id": project}}
    mended = {**body, "action": "ANNOTATION_UPDATED", "annotation": {**body["annotation"]}}
    mended["annotation"]["result"] = []
    ends = (
        mended,
        {"action": "ANNOTATIONS_DELETED", "annotations": [body["annotation"]], **deleted},
        {"action": "TASKS_DELETED", "tasks": [{"id": body["task"]["id"]}], **deleted},
    )
    for end in ends:
        post(backend_url, body)
        assert listed(backend_url, project) == [task]
        post(backend_url, end)
        assert listed(backend_url, project) == []


@pytest.mark.parametrize("name", OTHERS)
def test_an_annotation_with_its_masks_is_not_listed(backend_url: str, name: str) -> None:
    body = captured(name)
    body["project"]["id"] += 3000  # other tests send events of the captured projects
    post(backend_url, body)
    assert listed(backend_url, body["project"]["id"]) == []


def test_training_is_answered_and_the_status_page_says_that_nothing_was_trained(
    backend_url: str,
) -> None:
    """Of Label Studio 1.23 (an event) and of one whose feature flag for that is off."""
    event = {"action": "START_TRAINING", "project": {"id": 2001}}
    plain = {"annotations": [], "project": "2002.1", "label_config": "", "params": {}}
    for route, body in (("webhook", event), ("train", plain)):
        response = requests.post(f"{backend_url}/{route}", json=body, timeout=5)
        assert response.status_code == 201
        assert response.json()["trained"] is False
        assert "job" not in response.json()  # Label Studio would ask for its state for ever
    status = requests.get(f"{backend_url}/status?format=json", timeout=10).json()
    calls = {call["project"]: call for call in status["calls"] if call["kind"] == "training"}
    for project in ("2001", "2002"):
        assert "nothing was trained" in calls[project]["message"]
        assert "edgeflow train" in calls[project]["hint"]
