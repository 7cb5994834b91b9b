"""What annotators do, by mouse in a real Label Studio."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import requests
import shapely
from PIL import Image

from edgeflow.geometry import Size
from edgeflow.label_studio.brush_rle import decode_brush, encode_brush
from edgeflow.label_studio.config.recommended import RECOMMENDATIONS, recommended_config
from edgeflow.masks.rasterize import rasterize
from edgeflow_backend.protocol.config_check import RECOMMENDED
from tests import pictures
from tests.e2e.conftest import Studio
from tests.e2e.editor import Editor, open_editor

pytestmark = [pytest.mark.e2e, pytest.mark.browser, pytest.mark.slow]

ASTRONAUT = Size(512, 512)
BoolMask = npt.NDArray[np.bool_]
JSONObject = dict[str, Any]


@pytest.fixture(scope="module")
def editor(studio: Studio, chromium: str) -> Iterator[Editor]:
    with open_editor(chromium, studio.url) as editor:
        yield editor


def start(
    studio: Studio, editor: Editor, title: str, config: str, *, auto_accept: bool = False
) -> int:
    """Open the astronaut in a new project; the task's id."""
    project = studio.project(title, ["astronaut"], config)["id"]
    (task,) = studio.client.tasks(project)
    editor.open(project, task["id"], auto_accept=auto_accept)
    number: int = task["id"]
    return number


def answered(body: JSONObject) -> JSONObject:
    """The only region of an answer."""
    assert "error" not in body["data"], body["data"]["error"]
    (region,) = body["data"]["result"]
    found: JSONObject = region
    return found


def brush(region: JSONObject) -> BoolMask:
    mask: BoolMask = decode_brush(region["value"]["rle"], ASTRONAUT) > 127
    return mask


def drawn_brush(key: str, mask: BoolMask) -> JSONObject:
    """A region as somebody might have drawn it with the brush."""
    return {
        "id": key,
        "type": "brushlabels",
        "from_name": "mask",
        "to_name": "image",
        "original_width": ASTRONAUT.width,
        "original_height": ASTRONAUT.height,
        "image_rotation": 0,
        "value": {"format": "rle", "rle": list(encode_brush(mask)), "brushlabels": ["Object"]},
    }


def stored(studio: Studio, task: int) -> list[JSONObject]:
    """The regions of the task's newest annotation, without points and prompts."""
    annotation = studio.client.call("GET", f"tasks/{task}/annotations")[-1]
    return [region for region in annotation["result"] if region["from_name"] == "mask"]


def at(mask: BoolMask, x: float, y: float) -> bool:
    return bool(mask[int(y * ASTRONAUT.height), int(x * ASTRONAUT.width)])


def test_under_auto_accept_clicks_on_a_mask_refine_it_in_place(
    studio: Studio, editor: Editor, artifacts: Path
) -> None:
    task = start(studio, editor, "refining", RECOMMENDED, auto_accept=True)
    first = answered(editor.click(0.45, 0.6))
    second = answered(editor.click(0.55, 0.85, keys=["Control"]))  # before the draft is saved
    editor.wait_for_draft()
    third = answered(editor.click(0.30, 0.90, keys=["Control", "Alt"]))  # after it
    assert first["id"] == second["id"] == third["id"]
    assert editor.ids() == [first["id"]]
    assert at(brush(first), 0.30, 0.90)
    assert not at(brush(third), 0.30, 0.90)
    editor.screenshot(artifacts / "editor-refining.png")
    pictures.keep(pictures.REFINED, editor.picture(panels=True))

    elsewhere = answered(editor.click(0.90, 0.30))
    assert elsewhere["id"] != first["id"]
    assert editor.ids() == [first["id"], elsewhere["id"]]
    editor.submit()
    assert {region["id"] for region in stored(studio, task)} == set(editor.ids())


def test_a_mask_drawn_by_hand_is_refined_around_the_click_alone(
    studio: Studio, editor: Editor, artifacts: Path
) -> None:
    task = start(studio, editor, "by hand", RECOMMENDED, auto_accept=True)
    drawn = np.zeros(ASTRONAUT, dtype=np.bool_)
    drawn[250:500, 60:330] = True  # a coarse block over the suit, and the flag beside it
    studio.client.call(
        "POST", f"tasks/{task}/annotations", json={"result": [drawn_brush("by-hand", drawn)]}
    )
    project = studio.client.call("GET", f"tasks/{task}")["project"]
    editor.open(project, task, auto_accept=True)
    before = editor.picture()
    refined = answered(editor.click(0.14, 0.52, keys=["Control", "Alt"]))
    editor.screenshot(artifacts / "editor-by-hand.png")
    pictures.keep(pictures.BY_HAND, before, editor.picture())
    assert refined["id"] == "by-hand"
    mask = brush(refined)
    assert not at(mask, 0.14, 0.52)
    assert at(mask, 0.45, 0.7)
    assert not (mask & ~drawn).any()  # nothing but the part that was clicked away has changed


def test_points_left_by_the_tick_on_the_canvas_do_not_leak_into_the_next_object(
    studio: Studio, editor: Editor, artifacts: Path
) -> None:
    start(studio, editor, "leaked clicks", RECOMMENDED)
    first = answered(editor.click(0.90, 0.30))  # the shuttle: its tick lies within the image
    editor.accept_on_canvas()
    assert editor.count("suggestions") == 0
    editor.wait_for_draft()
    second = answered(editor.click(0.45, 0.6))
    sent = editor.last_request["context"]["result"]
    assert len(sent) == 2  # the old point came along
    editor.screenshot(artifacts / "editor-leaked-clicks.png")
    pictures.keep(pictures.LEAKED, editor.picture(panels=True))
    assert second["id"] != first["id"]
    assert at(brush(second), 0.45, 0.6)
    assert not at(brush(second), 0.90, 0.30)


def test_a_box_is_a_prompt_and_a_click_refines_what_it_found(
    studio: Studio, editor: Editor, artifacts: Path
) -> None:
    start(studio, editor, "boxes", pictures.WITH_BOXES, auto_accept=True)
    first = answered(editor.draw_box(0.55, 0.65, 0.98, 0.99))  # the helmet
    mask = brush(first)
    rows, cols = np.nonzero(mask)
    assert rows.min() >= 0.65 * 512 - 2
    assert cols.min() >= 0.55 * 512 - 2
    assert at(mask, 0.72, 0.85)
    editor.screenshot(artifacts / "editor-box.png")
    pictures.keep(pictures.BOXES, editor.picture(panels=True))
    editor.pick_tool("key-point-tool")
    second = answered(editor.click(0.72, 0.85, keys=["Control", "Alt"]))
    assert second["id"] == first["id"]
    assert not at(brush(second), 0.72, 0.85)
    assert np.nonzero(brush(second))[1].min() >= 0.55 * 512 - 2


@pytest.fixture(scope="module")
def suggested_as() -> dict[str, bytes]:
    """The same click's answer in the editor, by kind of mask."""
    return {}


@pytest.mark.parametrize("kind", RECOMMENDATIONS)
def test_every_mask_control_takes_the_answer_and_label_studio_stores_it(
    studio: Studio, editor: Editor, suggested_as: dict[str, bytes], kind: str
) -> None:
    task = start(studio, editor, f"answers in {kind}", recommended_config(kind))
    body = editor.click(0.45, 0.6)
    suggested = body["data"]["result"]
    suggested_as[kind] = editor.picture()
    if suggested_as.keys() == RECOMMENDATIONS.keys():
        pictures.keep(pictures.CONTROLS, *suggested_as.values())
    editor.accept()
    editor.submit()
    regions = stored(studio, task)
    assert [region["id"] for region in regions] == [region["id"] for region in suggested]
    assert {region["type"] for region in regions} == {f"{kind.lower()}labels"}
    mask = sum((shown(region) for region in regions), np.zeros(ASTRONAUT, dtype=np.bool_))
    assert at(mask, 0.45, 0.6)
    assert 0.15 < mask.mean() < 0.8
    expected = sum((shown(region) for region in suggested), np.zeros(ASTRONAUT, dtype=np.bool_))
    np.testing.assert_array_equal(mask, expected)


def shown(region: JSONObject) -> BoolMask:
    """What a region of any kind covers."""
    value, kind = region["value"], region["type"]
    if kind == "brushlabels":
        return brush(region)
    if kind == "bitmasklabels":
        data = base64.b64decode(value["imageDataURL"].partition(",")[2])
        alpha: BoolMask = np.asarray(Image.open(io.BytesIO(data)).convert("RGBA"))[:, :, 3] > 127
        return alpha
    if kind == "polygonlabels":
        assert shapely.Polygon(value["points"]).is_valid
        return rasterize(np.array(value["points"]) / 100 * 512 - 0.5, ASTRONAUT)
    mask = np.zeros(ASTRONAUT, dtype=np.bool_)
    left, top = round(value["x"] * 5.12), round(value["y"] * 5.12)
    right, bottom = left + round(value["width"] * 5.12), top + round(value["height"] * 5.12)
    mask[top:bottom, left:right] = True
    return mask


def test_opening_a_task_fetches_its_image_before_the_first_click(
    studio: Studio, editor: Editor
) -> None:
    held = image_bytes(studio)
    task = start(studio, editor, "opened", RECOMMENDED)
    editor.page.wait_for_timeout(2000)
    assert image_bytes(studio) > held
    assert studio.client.call("GET", f"tasks/{task}")["predictions"] == []  # nothing was stored


def image_bytes(studio: Studio) -> float:
    """Bytes of decoded images that the backend holds."""
    metrics = requests.get(f"{studio.backend_url}/metrics", timeout=10).text
    (line,) = [x for x in metrics.splitlines() if x.startswith('edgeflow_cache_bytes{cache="im')]
    return float(line.split()[-1])


def test_a_click_that_fails_leaves_the_editor_alive_and_its_reason_on_the_status_page(
    studio: Studio, editor: Editor, artifacts: Path
) -> None:
    start(studio, editor, "a label too few", pictures.LABEL_TOO_FEW)
    body = editor.click(0.45, 0.6)
    assert body["data"]["result"] == []
    trouble = body["data"]["error"]["id"]
    assert editor.count("suggestions") == 0
    editor.page.goto(f"{studio.backend_url}/status")
    editor.screenshot(artifacts / "status.png")
    text = editor.page.inner_text("body")
    assert trouble in text
    assert "No mask control has the label 'Object'" in text
    assert "Add <Label value=\"Object\"/> to BrushLabels 'mask'" in text


def test_a_click_is_answered_in_a_task_with_two_hundred_masks(
    studio: Studio, editor: Editor, artifacts: Path
) -> None:
    project = studio.project("two hundred masks", ["astronaut"])["id"]
    (task,) = studio.client.tasks(project)
    regions = []
    for number in range(200):
        spot = np.zeros(ASTRONAUT, dtype=np.bool_)
        row, col = 8 + number // 20 * 20, 8 + number % 20 * 25
        spot[row : row + 10, col : col + 14] = True
        regions.append(drawn_brush(f"spot{number}", spot))
    studio.client.call("POST", f"tasks/{task['id']}/annotations", json={"result": regions})
    # The processor draws each mask on canvases of its own, all as large as the window leaves them:
    # in a large one they take 9 GB, and ten minutes where two cores are busy.
    editor.page.set_viewport_size({"width": 1000, "height": 700})
    editor.page.set_default_timeout(600_000)
    editor.open(project, task["id"])
    found = answered(editor.click(0.45, 0.75))
    editor.screenshot(artifacts / "editor-many-masks.png")
    pictures.keep(pictures.MANY_MASKS, editor.picture(panels=True))
    assert at(brush(found), 0.45, 0.75)
    assert found["id"] not in {region["id"] for region in regions}
