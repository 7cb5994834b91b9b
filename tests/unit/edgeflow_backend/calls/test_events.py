from __future__ import annotations

import copy
from typing import Any

import pytest
from structlog.testing import capture_logs

from edgeflow_backend.calls.events import Event, take_note
from edgeflow_backend.errors import MalformedRequestError
from edgeflow_backend.status.journal import Journal
from tests.contract.wire import JSONObject, captured

SECRET = "ZhheGXmrqpGwNXjbxtj0hR9ZQ0gXmjP7kYp3G2ia"


@pytest.fixture
def submitted() -> JSONObject:
    """Three clicks, submitted without accepting, in project 1."""
    return captured("submitted_three_clicks_webhook.json")


def note(journal: Journal, body: JSONObject, host: str = "") -> None:
    take_note(Event.parse(copy.deepcopy(body), host), journal)


def listed(journal: Journal) -> dict[str, tuple[str, ...]]:
    return {lost.project: lost.tasks for lost in journal.lost.recent()}


def test_an_annotation_with_lost_masks_is_noted_and_kept_in_ids_alone(
    journal: Journal, submitted: JSONObject
) -> None:
    submitted["project"]["token"] = submitted["annotation"]["result"][0]["id"] = SECRET
    note(journal, submitted)
    task = str(submitted["task"]["id"])
    assert listed(journal) == {"1": (task,)}
    assert SECRET not in repr(vars(journal.lost))


def test_projects_of_several_label_studios_are_told_apart(
    journal: Journal, submitted: JSONObject
) -> None:
    note(journal, submitted)
    note(journal, submitted, "team-b")
    assert set(listed(journal)) == {"1", "team-b/1"}


def test_a_skipped_annotation_has_nothing_to_lose(journal: Journal, submitted: JSONObject) -> None:
    note(journal, submitted)
    submitted["annotation"]["was_cancelled"] = True
    note(journal, submitted)
    assert listed(journal) == {}


def test_annotations_made_in_bulk_are_all_examined(journal: Journal, submitted: JSONObject) -> None:
    first, data = submitted["annotation"], submitted["task"]["data"]
    submitted["annotation"] = [first, {**first, "id": 99, "task": 98}]
    submitted["task"] = [submitted["task"], {"id": 98, "data": data}]
    note(journal, {**submitted, "action": "ANNOTATIONS_CREATED"})
    (lost,) = journal.lost.recent()
    assert lost.annotations == 2
    assert lost.tasks == ("98", str(first["task"]))


def test_training_is_not_done_and_said_so(journal: Journal) -> None:
    note(journal, {"action": "START_TRAINING", "project": {"id": 3}})
    take_note(Event.parse({"project": "4.17"}, "", "START_TRAINING"), journal)
    calls = journal.calls.recent()
    assert [(call.project, call.kind) for call in calls] == [("4", "training"), ("3", "training")]
    assert "edgeflow train" in calls[0].hint


@pytest.mark.parametrize("body", [{}, {"action": None}, {"action": 5}])
def test_an_event_needs_an_action(body: JSONObject) -> None:
    with pytest.raises(MalformedRequestError):
        Event.parse(body, "")


@pytest.mark.parametrize("value", [None, 5, "x", [], {}, [None], [{}], {"id": []}, {"result": 5}])
@pytest.mark.parametrize("key", ["annotation", "project", "task", "annotations", "tasks"])
@pytest.mark.parametrize("action", ["ANNOTATION_UPDATED", "ANNOTATIONS_DELETED", "TASKS_DELETED"])
def test_no_event_breaks_it(
    journal: Journal, submitted: JSONObject, action: str, key: str, value: Any
) -> None:
    with capture_logs() as logs:
        note(journal, {**submitted, "action": action, key: value})
    assert [entry for entry in logs if entry["log_level"] == "error"] == []


def test_a_config_that_cannot_be_read_is_not_examined(
    journal: Journal, submitted: JSONObject
) -> None:
    submitted["project"]["label_config"] = "<View"
    note(journal, submitted)
    assert listed(journal) == {}
