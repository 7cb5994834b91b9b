"""Click, save and export through a real Label Studio, by its HTTP API."""

from __future__ import annotations

import io
import json
import zipfile

import numpy as np
import numpy.typing as npt
import pytest
import requests
from PIL import Image

from edgeflow.checkpoints.checkpoint import DEFAULT_MODEL
from edgeflow.geometry import Size
from edgeflow.label_studio.brush_rle import decode_brush
from edgeflow_backend.protocol.config_check import RECOMMENDED
from tests.contract.wire import JSONObject, keypoint
from tests.e2e.conftest import Studio

pytestmark = pytest.mark.e2e

COFFEE = Size(400, 600)


def click(x: float, y: float, *, positive: bool = True) -> JSONObject:
    return keypoint(
        x, y, positive=positive, original_width=COFFEE.width, original_height=COFFEE.height
    )


class Session:
    """One annotator on the coffee cup."""

    def __init__(self, studio: Studio, title: str, config: str = RECOMMENDED) -> None:
        self.client = studio.client
        self.project = studio.project(title, ["coffee"], config)["id"]
        (self.task,) = self.client.tasks(self.project)
        (backend,) = self.client.call("GET", "ml", params={"project": self.project})
        self.backend = backend["id"]

    def ask(self, *clicks: JSONObject) -> list[JSONObject]:
        """The regions that the editor would be shown after these clicks."""
        body = {"task": self.task["id"], "context": {"result": list(clicks)}}
        answer = self.client.call("POST", f"ml/{self.backend}/interactive-annotating", json=body)
        regions: list[JSONObject] = answer["data"]["result"]
        return regions

    def export(self, kind: str) -> bytes:
        path = f"projects/{self.project}/export"
        return self.client.raw("GET", path, params={"exportType": kind}).content


@pytest.fixture(scope="module")
def session(studio: Studio) -> Session:
    return Session(studio, "three clicks")


def mask_of(region: JSONObject) -> npt.NDArray[np.uint8]:
    return decode_brush(region["value"]["rle"], COFFEE)


@pytest.fixture(scope="module")
def answers(session: Session) -> list[JSONObject]:
    """The regions after the first positive, second positive and negative click."""
    clicks = [click(50, 40), click(50, 55), click(55, 82, positive=False)]
    return [session.ask(*clicks[:count])[0] for count in (1, 2, 3)]


def test_each_click_brings_one_region_with_a_mask_around_the_positive_clicks(
    answers: list[JSONObject],
) -> None:
    for region in answers:
        mask = mask_of(region)
        assert mask[160, 300] == 255
        assert 0.1 < (mask > 0).mean() < 0.5
    last = mask_of(answers[-1])
    assert last[220, 300] == 255
    assert last[328, 330] == 0


def test_the_backend_is_shown_as_connected_with_its_model_version(session: Session) -> None:
    backend = session.client.call("GET", f"ml/{session.backend}")
    assert backend["state"] == "CO"
    assert backend["is_interactive"]
    versions = session.client.call("GET", f"ml/{session.backend}/versions")
    assert f"{DEFAULT_MODEL}-" in str(versions)


def test_opening_a_task_leaves_no_empty_prediction(session: Session) -> None:
    session.client.call("GET", f"tasks/{session.task['id']}", params={"project": session.project})
    predictions = session.client.call("GET", "predictions", params={"task": session.task["id"]})
    assert [p for p in predictions if p["task"] == session.task["id"]] == []


def test_calls_without_a_click_store_nothing_and_the_status_page_says_why(
    studio: Studio,
) -> None:
    session = Session(studio, "without a click")
    client, task = session.client, session.task["id"]
    log = studio.backend.log.with_name("label-studio.log")
    logged = log.stat().st_size
    client.call("GET", f"tasks/{task}", params={"project": session.project})
    retrieve = {"id": "retrieve_tasks_predictions", "project": session.project}
    items = {"selectedItems": {"all": True, "excluded": []}}
    answer = client.call("POST", "dm/actions", params=retrieve, json=items)
    assert answer["detail"] == "Retrieved 1 predictions"  # it only counts tasks
    client.call("POST", f"ml/{session.backend}/train", json={})
    assert client.call("GET", f"ml/{session.backend}")["state"] == "CO"
    assert client.call("GET", f"tasks/{task}")["predictions"] == []
    assert "[ERROR]" not in log.read_bytes()[logged:].decode()

    status = requests.get(f"{studio.backend_url}/status?format=json", timeout=10).json()
    calls = {c["kind"]: c for c in status["calls"] if c["project"] == str(session.project)}
    assert calls["predictions"]["message"].startswith(
        "0 of 1 tasks got a prediction: without a click"
    )
    assert calls["predictions"]["count"] >= 2
    assert "EDGEFLOW_PREANNOTATE" in calls["predictions"]["hint"]
    assert "nothing was trained" in calls["training"]["message"]
    assert "edgeflow train" in calls["training"]["hint"]


def test_a_request_that_cannot_be_served_reaches_the_editor_as_an_empty_result(
    session: Session,
) -> None:
    assert session.ask(click(50, 40, positive=False)) == []


def test_label_studio_accepts_the_model_hint_and_passes_it_on(studio: Studio) -> None:
    for model, found in ((DEFAULT_MODEL, 1), ("nonsense", 0)):
        config = RECOMMENDED.replace('name="click"', f'name="click" edgeflowModel="{model}"')
        assert len(Session(studio, f"hint {model}", config).ask(click(50, 40))) == found


def test_a_saved_mask_comes_out_of_every_export_exactly_as_it_went_in(
    session: Session, answers: list[JSONObject]
) -> None:
    region = answers[-1]
    expected = mask_of(region)
    task = session.task["id"]
    session.client.call("POST", f"tasks/{task}/annotations", json={"result": [region]})

    (exported,) = json.loads(session.export("JSON"))
    (saved,) = exported["annotations"][0]["result"]
    assert saved["id"] == region["id"]
    np.testing.assert_array_equal(mask_of(saved), expected)

    png = np.array(Image.open(io.BytesIO(only_file(session.export("BRUSH_TO_PNG")))))
    np.testing.assert_array_equal(png, expected)

    array = np.load(io.BytesIO(only_file(session.export("BRUSH_TO_NUMPY"))), allow_pickle=False)
    np.testing.assert_array_equal(array, expected)


def only_file(export: bytes) -> bytes:
    """The one file of an export: Label Studio zips only when there are several."""
    if not zipfile.is_zipfile(io.BytesIO(export)):
        return export
    with zipfile.ZipFile(io.BytesIO(export)) as archive:
        (name,) = archive.namelist()
        return archive.read(name)
