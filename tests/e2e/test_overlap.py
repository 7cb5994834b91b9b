"""Objects that must not overlap, by mouse: a second one gives way to the first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from edgeflow.arrays import BoolMask
from edgeflow.geometry import Size
from edgeflow.label_studio.brush_rle import decode_brush
from tests.e2e.conftest import Studio
from tests.e2e.editor import open_editor

pytestmark = [pytest.mark.e2e, pytest.mark.browser, pytest.mark.slow]

SIZE = Size(512, 512)
CONFIG = """<View><Image name="image" value="$image"/>
<KeyPointLabels name="click" toName="image" smart="true" smartOnly="true">
  <Label value="Person" background="#FFB000"/><Label value="Suit" background="#00B060"/>
</KeyPointLabels>
<BrushLabels name="mask" toName="image" smart="false"{}>
  <Label value="Person" background="#1E90FF"/><Label value="Suit" background="#00B060"/>
</BrushLabels></View>"""
NEVER = ' edgeflowOverlap="never"'


def decoded(region: dict[str, Any]) -> BoolMask:
    return decode_brush(region["value"]["rle"], SIZE) > 127


def test_a_second_object_gives_way_to_the_first_and_still_does_when_it_is_refined(
    studio: Studio, chromium: str, artifacts: Path
) -> None:
    with open_editor(chromium, studio.url) as editor:

        def click(x: float, y: float, label: int, *keys: str) -> dict[str, Any]:
            place = editor.place(x, y)
            answer = editor.click_on_page(*place, labels=(label,), keys=keys)["data"]
            assert "error" not in answer, answer["error"]
            (region,) = answer["result"]
            found: dict[str, Any] = region
            return found

        masks = {}
        for attribute in ("", NEVER):
            project = studio.project(
                f"overlap {attribute}", ["astronaut"], CONFIG.format(attribute)
            )
            (task,) = studio.client.tasks(project["id"])
            editor.open(project["id"], task["id"], auto_accept=True)
            first = click(0.72, 0.85, 0)  # the helmet
            second = click(0.45, 0.6, 1)  # the suit around it, before the draft is saved
            masks[attribute] = decoded(first), decoded(second)
        helmet, suit = masks[""]
        assert (helmet & suit).any(), "nothing to give way to"
        helmet, beside = masks[NEVER]
        assert (beside == (suit & ~helmet)).all()
        editor.wait_for_draft()
        refined = click(0.30, 0.90, 1, "Control", "Alt")
        editor.screenshot(artifacts / "editor-overlap.png")
        assert refined["id"] == second["id"]
        assert not decoded(refined)[int(0.90 * 512), int(0.30 * 512)]
        assert not (decoded(refined) & helmet).any()
        assert len(refined["meta"]["edgeflow"]["clicks"]) == 2
        assert "from_mask" not in refined["meta"]["edgeflow"]
        editor.submit()
    (annotation,) = studio.client.call("GET", f"tasks/{task['id']}/annotations")
    stored = [decoded(r) for r in annotation["result"] if r["type"] == "brushlabels"]
    assert len(stored) == 2
    assert not (stored[0] & stored[1]).any()
