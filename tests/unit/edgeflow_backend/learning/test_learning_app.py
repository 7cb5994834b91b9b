"""A whole backend: events in, what is kept on the status page and in the metrics."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from edgeflow_backend.label_studio.connection import SECRET_HEADER
from edgeflow_backend.openapi.status import Status
from tests.contract.wire import JSONObject
from tests.unit.edgeflow_backend.examples.studio import CONFIG, PROJECT, Studio, sheet
from tests.unit.edgeflow_backend.learning.learning import clicked

SECRET = "a secret of 24 letters.."


def event(action: str, *regions: JSONObject) -> JSONObject:
    """An event as Label Studio sends it, or as anybody else may."""
    return {
        "action": action,
        "annotation": {"id": 900, "task": 1, "result": list(regions)},
        "project": {"id": PROJECT, "label_config": CONFIG},
        "task": {"id": 1, "data": {"image": sheet()}},
    }


def status(client: FlaskClient) -> JSONObject:
    body: JSONObject = client.get("/status?format=json").get_json()
    Status.model_validate(body)
    return body


def learned(client: FlaskClient, objects: int) -> JSONObject:
    """What is kept, as soon as it is so many objects."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        (entry,) = status(client)["learning"]
        if entry["objects"] == objects and entry["read"]:
            return dict(entry)
        time.sleep(0.02)
    raise AssertionError(f"it stays {entry}")


def metrics(client: FlaskClient) -> dict[tuple[str, ...], float]:
    return {
        (sample.name, *(sample.labels[name] for name in sorted(sample.labels))): sample.value
        for family in text_string_to_metric_families(client.get("/metrics").text)
        for sample in family.samples
        if sample.name.startswith("edgeflow_accepted")
    }


def test_what_annotators_accept_is_on_the_status_page_and_in_the_metrics(
    make_client: Callable[..., FlaskClient], studio: Studio
) -> None:
    client = make_client()
    learned(client, 0)
    studio.add(sheet(), clicked(0, clicks=3), clicked(1, "other", clicks=1))
    answer = client.post("/webhook", json=event("ANNOTATION_CREATED"))
    assert answer.status_code == 201
    entry = learned(client, 2)
    assert [(each["label"], each["clicks"]) for each in entry["effort"]] == [
        ("all labels", 4), ("disk", 3), ("other", 1),
    ]  # fmt: skip
    page = client.get("/status", headers={"Accept": "text/html"}).text
    assert "Clicks per accepted object" in page
    assert "<svg" in page
    shown = metrics(client)
    assert shown["edgeflow_accepted_objects", "disk", "5"] == 1
    assert shown["edgeflow_accepted_clicks", "all labels", "5"] == 4
    assert shown["edgeflow_accepted_clicks_newest", "other", "5"] == 1
    assert shown["edgeflow_accepted_read_timestamp_seconds", "5"] == pytest.approx(
        time.time(), abs=60
    )
    assert shown["edgeflow_accepted_bytes", "5", "pictures"] > 0


def test_without_a_project_in_the_settings_the_page_is_as_it_was(
    make_client: Callable[..., FlaskClient],
) -> None:
    client = make_client(learn_projects="")
    assert status(client)["learning"] == []
    assert "accepted object" not in client.get("/status", headers={"Accept": "text/html"}).text
    assert metrics(client) == {}


@pytest.mark.parametrize("action", ["ANNOTATION_CREATED", "ANNOTATION_UPDATED", "START_TRAINING"])
def test_nothing_of_a_forged_event_is_kept(
    make_client: Callable[..., FlaskClient], studio: Studio, action: str
) -> None:
    studio.add(sheet(), clicked(0))
    client = make_client(learn_train=False)
    before = learned(client, 1)
    forged = [clicked(number, "forged", clicks=9) for number in range(6)]
    assert client.post("/webhook", json=event(action, *forged)).status_code == 201
    deadline = time.monotonic() + 30
    while (entry := learned(client, 1))["read"] == before["read"]:
        assert time.monotonic() < deadline, "the hint was taken"
        time.sleep(0.02)
    assert {**entry, "read": ""} == {**before, "read": ""}


def test_an_event_without_the_secret_is_refused_and_not_looked_at(
    make_client: Callable[..., FlaskClient], studio: Studio
) -> None:
    client = make_client(webhook_secret=SECRET, learn_every_s=3600)
    learned(client, 0)
    asked = len(studio.host.received)
    studio.add(sheet(), clicked(0))
    for headers in ({}, {SECRET_HEADER: "another secret"}):
        answer = client.post("/webhook", json=event("ANNOTATION_CREATED"), headers=headers)
        assert answer.status_code == 403
        assert SECRET not in answer.text
    assert "edgeflow_annotation_events_total{" not in client.get("/metrics").text
    assert len(studio.host.received) == asked
    headers = {SECRET_HEADER: SECRET}
    answer = client.post("/webhook", json=event("ANNOTATION_CREATED"), headers=headers)
    assert answer.status_code == 201
    learned(client, 1)


def test_an_event_is_answered_while_label_studio_keeps_the_backend_waiting(
    make_client: Callable[..., FlaskClient], studio: Studio
) -> None:
    client = make_client()
    learned(client, 0)
    answer = studio.host.routes["*"]

    def slow(*request: Any) -> Any:
        studio.host.pause()
        assert callable(answer)
        return answer(*request)

    studio.host.routes["*"] = slow
    times = []
    for _ in range(20):
        started = time.monotonic()
        client.post("/webhook", json=event("ANNOTATION_CREATED", clicked(0)))
        times.append(time.monotonic() - started)
    assert sorted(times)[10] < 0.5, "Label Studio waits for one second, and its annotator with it"
