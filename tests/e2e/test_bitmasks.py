"""A bitmask of one bit a pixel in the editor: shown, erased by hand, and stored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from edgeflow.arrays import BoolMask
from edgeflow.geometry import Size
from edgeflow.label_studio.region_masks import parse_bitmask
from tests.e2e.conftest import Studio
from tests.e2e.editor import open_editor
from tests.e2e.shown import RED, Screen, overlap, picture, uri

pytestmark = [pytest.mark.e2e, pytest.mark.browser, pytest.mark.slow]

CONFIG = """<View><Image name="image" value="$image"/>
<KeyPointLabels name="click" toName="image" smart="true" smartOnly="true">
  <Label value="Object" background="#FFB000"/></KeyPointLabels>
<BitmaskLabels name="mask" toName="image" smart="false">
  <Label value="Object" background="#1E90FF"/></BitmaskLabels></View>"""

SIZE = Size(240, 320)


def decoded(region: dict[str, Any]) -> BoolMask:
    return parse_bitmask(region["value"]).mask(SIZE)


def test_a_bitmask_is_shown_and_what_is_erased_by_hand_is_gone(
    studio: Studio, chromium: str, artifacts: Path
) -> None:
    project = studio.client.create_project("bitmasks", CONFIG)["id"]
    studio.client.connect_backend(project, studio.backend_url)
    data = [{"image": uri("PNG", picture())}]
    studio.client.call("POST", f"projects/{project}/import", json=data)
    (task,) = studio.client.tasks(project)
    with open_editor(chromium, studio.url) as editor:
        editor.open(project, task["id"], auto_accept=True)
        before = Screen.of(editor.page)
        x, y = before.middle(RED)
        (answered,) = editor.click_on_page(x, y)["data"]["result"]
        shown = before.changed(Screen.of(editor.page), RED)
        assert overlap(shown, before.where(RED)) > 0.9
        editor.erase(x, y)
        editor.screenshot(artifacts / "bitmask-erased.png")
        editor.submit()
    (annotation,) = studio.client.call("GET", f"tasks/{task['id']}/annotations")
    (stored,) = annotation["result"]
    assert stored["id"] == answered["id"]
    whole, left = decoded(answered), decoded(stored)
    assert not (left & ~whole).any()
    assert not left[80, 95]  # the object's middle
    assert 20 < (whole & ~left).sum() < whole.sum() / 2
