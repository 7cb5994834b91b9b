"""One object on all pages of a task, by mouse in a real Label Studio."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edgeflow.masks.rasterize import rasterize
from tests import moving, pictures
from tests.e2e.conftest import Studio
from tests.e2e.editor import Editor, open_editor
from tests.moving import SIZE

pytestmark = [pytest.mark.e2e, pytest.mark.browser, pytest.mark.slow]

PAGES = 100
CORRECTED = (80, 88, 93, 97)
"""Pages that are corrected while all are suggestions."""

ACCEPTED = 30
"""The page that is corrected once all are accepted."""

JSONObject = dict[str, Any]

CONFIG = pictures.PAGES.config


@pytest.fixture(scope="module")
def editor(studio: Studio, chromium: str) -> Iterator[Editor]:
    with open_editor(chromium, studio.url) as editor:
        yield editor


def uri(page: int) -> str:
    buffer = io.BytesIO()
    Image.fromarray(moving.picture(page)).save(buffer, "JPEG", quality=85)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()


def click(editor: Editor, page: int, *, off: float = 0, keys: tuple[str, ...] = ()) -> Any:
    """Click so many pixels right of the shape's middle; the regions of the answer by page."""
    x, y = moving.middle(page)
    body = editor.click((x + off) / SIZE.width, y / SIZE.height, keys=keys)
    assert "error" not in body["data"], body["data"]["error"]
    regions = body["data"]["result"]
    by_page = {region["item_index"]: region for region in regions}
    assert len(by_page) == len(regions)
    return by_page


def iou(region: JSONObject) -> float:
    points = np.asarray(region["value"]["points"]) / 100 * [SIZE.width, SIZE.height]
    return moving.iou(rasterize(points, SIZE), region["item_index"])


def test_one_click_and_five_corrections_annotate_a_hundred_pages(
    studio: Studio, editor: Editor, artifacts: Path
) -> None:
    project = studio.client.create_project("a hundred pages", CONFIG)["id"]
    studio.client.connect_backend(project, studio.backend_url)
    data = [{"pages": [uri(page) for page in range(PAGES)]}]
    studio.client.call("POST", f"projects/{project}/import", json=data)
    (task,) = studio.client.tasks(project)
    editor.open(project, task["id"])
    editor.pick_tool("key-point-tool", 1)
    expected = click(editor, 0)
    assert sorted(expected) == list(range(PAGES))
    assert editor.count("suggestions") == PAGES
    for page in CORRECTED:
        editor.turn_to(page)
        answer = click(editor, page, off=14, keys=("Alt",))
        assert sorted(answer) == list(range(PAGES))
        earlier = range(max((each for each in CORRECTED if each < page), default=0) + 1)
        assert all(answer[each]["value"] == expected[each]["value"] for each in earlier)
        assert answer[page]["value"] != expected[page]["value"]
        expected = answer
    assert editor.count("suggestions") == PAGES
    editor.accept()
    editor.wait_for_draft()
    editor.turn_to(ACCEPTED)
    refined = click(editor, ACCEPTED, off=14, keys=("Control", "Alt"))
    assert sorted(refined) == [ACCEPTED]
    assert refined[ACCEPTED]["id"] == expected[ACCEPTED]["id"]
    expected |= refined
    editor.accept()
    editor.screenshot(artifacts / "editor-pages.png")
    pictures.keep(pictures.PAGES, editor.picture(panels=True))
    editor.submit()

    (exported,) = studio.client.call("GET", f"projects/{project}/export?exportType=JSON")
    kept = {region["item_index"]: region for region in exported["annotations"][0]["result"]}
    assert {page: (region["id"], region["value"]["points"]) for page, region in kept.items()} == {
        page: (region["id"], region["value"]["points"]) for page, region in expected.items()
    }
    assert all(iou(region) > 0.6 for region in kept.values())


def tags(suffix: str, value: str) -> str:
    """An image with a tool that finds pages, and masks of its own."""
    return f"""<KeyPoint name="pages_{suffix}" toName="page_{suffix}" smart="true"
      edgeflowFind="pages"/>
    <Image name="page_{suffix}" value="{value}"/>
    <PolygonLabels name="mask_{suffix}" toName="page_{suffix}"><Label value="Shape"/>
    </PolygonLabels>"""


REPEATED = (
    '<Repeater on="$pages" indexFlag="{{i}}">' + tags("{{i}}", "$pages[{{i}}]") + "</Repeater>"
)
BESIDE = "".join(tags(str(page), f"$pages[{page}]") for page in range(3))


@pytest.mark.parametrize("config", [REPEATED, BESIDE], ids=["a Repeater", "image tags"])
def test_images_below_each_other_are_pages_too(studio: Studio, editor: Editor, config: str) -> None:
    project = studio.client.create_project("below each other", f"<View>{config}</View>")["id"]
    studio.client.connect_backend(project, studio.backend_url)
    data = [{"pages": [uri(page) for page in range(3)]}]
    studio.client.call("POST", f"projects/{project}/import", json=data)
    (task,) = studio.client.tasks(project)
    editor.open(project, task["id"])
    x, y = moving.middle(0)
    body = editor.click(x / SIZE.width, y / SIZE.height)
    assert "error" not in body["data"], body["data"]["error"]
    names = [(f"page_{page}", f"mask_{page}") for page in range(3)]
    answered = {(each["to_name"], each["from_name"]): each for each in body["data"]["result"]}
    assert sorted(answered) == names
    editor.accept()
    editor.submit()
    (exported,) = studio.client.call("GET", f"projects/{project}/export?exportType=JSON")
    stored = {
        (each["to_name"], each["from_name"]): each for each in exported["annotations"][0]["result"]
    }
    assert sorted(stored) == names
    for page, name in enumerate(names):
        assert stored[name]["value"]["points"] == answered[name]["value"]["points"]
        assert iou({**stored[name], "item_index": page}) > 0.6
