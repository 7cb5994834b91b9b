"""What the troubleshooting page and the status page say when a click brings nothing."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import ViewportSize

from demo.label_studio import TOKEN, free_port, start_backend
from edgeflow_backend.protocol.config_check import RECOMMENDED
from tests import pictures
from tests.e2e.conftest import Studio
from tests.e2e.editor import INTERACTIVE, Editor, open_editor

pytestmark = [pytest.mark.e2e, pytest.mark.browser, pytest.mark.slow]

STATUS_SIZE: ViewportSize = {"width": 760, "height": 900}
TROUBLE = ("error", "fail", "unavailable", "connect", "wrong")
"""Words of a message that the editor might show."""

PRIVATE = "http://192.168.1.20/scan.png"


@pytest.fixture(scope="module")
def editor(studio: Studio, chromium: str) -> Iterator[Editor]:
    with open_editor(chromium, studio.url) as editor:
        yield editor


@contextlib.contextmanager
def beside(
    studio: Studio, folder: Path, port: int | None = None, **settings: str
) -> Iterator[Studio]:
    """The same Label Studio with a backend of its own, which has seen nothing yet."""
    port = port or free_port()
    command = Path(sys.executable).with_name("edgeflow-backend")
    access = {"LABEL_STUDIO_URL": studio.url, "LABEL_STUDIO_API_KEY": TOKEN}
    with start_backend(command, port, folder / "backend.log", {**access, **settings}) as backend:
        backend.wait(120)
        yield replace(studio, backend_url=f"http://127.0.0.1:{port}", backend=backend)


@pytest.fixture
def fresh(studio: Studio, tmp_path: Path) -> Iterator[Studio]:
    with beside(studio, tmp_path) as own:
        yield own


def status(studio: Studio) -> dict[str, Any]:
    found: dict[str, Any] = requests.get(
        f"{studio.backend_url}/status?format=json", timeout=10
    ).json()
    return found


def status_page(studio: Studio, editor: Editor) -> tuple[str, bytes]:
    """The page's words, and a screenshot of its upper part, down to the load."""
    page = editor.in_another_browser().page
    page.set_viewport_size(STATUS_SIZE)
    page.goto(f"{studio.backend_url}/status")
    load = page.locator("section", has=page.get_by_role("heading", name="Load")).bounding_box()
    assert load is not None
    screenshot = page.screenshot(
        full_page=True,
        clip={"x": 0, "y": 0, "width": STATUS_SIZE["width"], "height": load["y"] - 8},
    )
    return page.inner_text("body"), screenshot


def test_a_click_that_cannot_be_answered_is_told_with_the_way_out(
    fresh: Studio, editor: Editor
) -> None:
    project = fresh.project("a label too few", ["astronaut"], pictures.LABEL_TOO_FEW)["id"]
    (task,) = fresh.client.tasks(project)
    editor.open(project, task["id"])
    assert editor.click(0.45, 0.6)["data"]["result"] == []
    text, screenshot = status_page(fresh, editor)
    pictures.keep(pictures.FAILED, screenshot)
    assert "Ready, but some requests failed" in text
    assert "Add <Label value=\"Object\"/> to BrushLabels 'mask'" in text


def test_an_image_in_a_private_network_is_told_with_the_setting_that_allows_it(
    fresh: Studio, editor: Editor
) -> None:
    project = fresh.project("a private address", ["astronaut"])["id"]
    body = [{"data": {"image": PRIVATE}}]
    fresh.client.call("POST", f"projects/{project}/import", json=body)
    task = fresh.client.tasks(project)[-1]
    click = {
        "id": "click", "type": "keypoint", "from_name": "click", "to_name": "image",
        "original_width": 640, "original_height": 480, "is_positive": True,
        "value": {"x": 50, "y": 50, "width": 0.5},
    }  # fmt: skip
    (backend,) = fresh.client.call("GET", "ml", params={"project": project})
    answer = fresh.client.call(
        "POST",
        f"ml/{backend['id']}/interactive-annotating",
        json={"task": task["id"], "context": {"result": [click]}},
    )
    assert answer["data"]["result"] == []
    text, screenshot = status_page(fresh, editor)
    pictures.keep(pictures.REFUSED, screenshot)
    assert "192.168.1.20 may not be fetched from: it has a private IP" in text
    assert "add 192.168.1.20 to EDGEFLOW_ALLOWED_HOSTS" in text


def test_points_that_leave_with_their_annotation_are_no_failed_click(
    fresh: Studio, editor: Editor
) -> None:
    project = fresh.project("submitted", ["astronaut", "coins"])["id"]
    task, _ = fresh.client.tasks(project)
    editor.open(project, task["id"])
    editor.click(0.45, 0.6)
    with editor.page.expect_request(lambda request: INTERACTIVE in request.url) as asked:
        editor.submit()  # without the tick
    sent = asked.value.post_data_json
    assert sent is not None
    assert sent["context"] == {"result": []}
    editor.page.wait_for_timeout(1000)
    seen = status(fresh)
    assert seen["troubles"] == []
    assert (seen["load"]["ok"], seen["load"]["failed"]) == (1, 0)
    assert [lost["tasks"] for lost in seen["lost"]] == [[str(task["id"])]]


def test_while_the_backend_is_down_the_editor_says_nothing_and_lives_on(
    studio: Studio, editor: Editor, tmp_path: Path, artifacts: Path
) -> None:
    port = free_port()
    with beside(studio, tmp_path, port) as own:
        project = own.project("the backend is down", ["astronaut"], RECOMMENDED)["id"]
        (task,) = own.client.tasks(project)
        editor.open(project, task["id"])
    with editor.page.expect_response(lambda answer: INTERACTIVE in answer.url):
        editor.page.mouse.click(*editor.place(0.45, 0.6))
    editor.page.wait_for_timeout(2000)
    editor.screenshot(artifacts / "editor-backend-down.png")
    assert editor.count("suggestions") == 0
    assert editor.count("regions") == 1  # the point
    said = editor.page.inner_text("body").lower()
    assert [
        word for word in ("error", "fail", "unavailable", "connect", "wrong") if word in said
    ] == []
    (backend,) = studio.client.call("GET", "ml", params={"project": project})
    assert backend["state"] == "DI"

    with beside(studio, tmp_path, port):
        answer = editor.click(0.43, 0.2)["data"]
        assert len(editor.last_request["context"]["result"]) == 2  # the unanswered one came along
        assert len(answer["result"]) == 1
        assert editor.count("suggestions") == 1


def test_boxes_of_a_detector_become_masks_when_predictions_are_retrieved(
    studio: Studio, editor: Editor, tmp_path: Path
) -> None:
    with beside(studio, tmp_path, EDGEFLOW_PREANNOTATE="true") as own:
        project = own.project("a detector's boxes", ["astronaut"], pictures.WITH_BOXES)["id"]
        (task,) = own.client.tasks(project)
        boxes = [box("helmet", 45, 62, 54, 38), box("astronaut", 2, 5, 75, 94)]
        body = {"task": task["id"], "model_version": "detector", "result": boxes}
        own.client.call("POST", "predictions", json=body)
        action = {"id": "retrieve_tasks_predictions", "project": project}
        chosen = {"selectedItems": {"all": True, "excluded": []}}
        own.client.call("POST", "dm/actions", params=action, json=chosen)
        (found,) = [
            prediction
            for prediction in own.client.call("GET", f"tasks/{task['id']}")["predictions"]
            if prediction["model_version"] != "detector"
        ]
        assert [region["type"] for region in found["result"]] == ["brushlabels"] * 2
        own.client.call(
            "PATCH", f"projects/{project}", json={"model_version": found["model_version"]}
        )
        editor.open(project, task["id"])
        helmet, astronaut = (region["score"] for region in found["result"])
        assert helmet > 0.9  # as docs/pre-annotation.md says
        assert astronaut < 0.6
        assert set(editor.ids()) == {region["id"] for region in found["result"]}
        pictures.keep(pictures.OPENED, editor.picture(panels=True))


def box(key: str, x: float, y: float, width: float, height: float) -> dict[str, Any]:
    """A detector's rectangle, percent of the astronaut."""
    return {
        "id": key, "type": "rectangle", "from_name": "box", "to_name": "image",
        "original_width": 512, "original_height": 512, "image_rotation": 0,
        "value": {"x": x, "y": y, "width": width, "height": height, "rotation": 0},
    }  # fmt: skip
