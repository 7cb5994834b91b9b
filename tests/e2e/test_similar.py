"""An example and all its like, by mouse in a real Label Studio."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from edgeflow.geometry import Size
from edgeflow.label_studio.brush_rle import decode_brush
from edgeflow.label_studio.config.recommended import recommended_config
from tests import pictures
from tests.e2e.conftest import Studio
from tests.e2e.editor import Editor, open_editor

pytestmark = [pytest.mark.e2e, pytest.mark.browser, pytest.mark.slow]

COINS = Size(303, 384)
OTHERS = 23
"""Coins of the photograph beside the one that is shown as an example."""

BoolMask = npt.NDArray[np.bool_]
JSONObject = dict[str, Any]

CLICKED = recommended_config("Polygon").replace(
    "<Image ",
    '<KeyPoint name="similar" toName="image" smart="true" smartOnly="true" '
    'edgeflowFind="similar"/>\n  <Image ',
)


@pytest.fixture(scope="module")
def editor(studio: Studio, chromium: str) -> Iterator[Editor]:
    with open_editor(chromium, studio.url) as editor:
        yield editor


def start(
    studio: Studio, editor: Editor, title: str, config: str, *, auto_accept: bool
) -> tuple[int, int]:
    """Open the coins in a new project; the project's and the task's id."""
    project = studio.project(title, ["coins"], config)["id"]
    (task,) = studio.client.tasks(project)
    editor.open(project, task["id"], auto_accept=auto_accept)
    return project, task["id"]


def answered(body: JSONObject) -> dict[str, JSONObject]:
    """The regions of an answer by their ids."""
    assert "error" not in body["data"], body["data"]["error"]
    return {region["id"]: region for region in body["data"]["result"]}


def exported(studio: Studio, project: int) -> dict[str, JSONObject]:
    """The regions of a project's only annotation in Label Studio's own export, by their ids."""
    path = f"projects/{project}/export?exportType=JSON"
    (task,) = studio.client.call("GET", path)
    return {region["id"]: region for region in task["annotations"][0]["result"]}


def mask(region: JSONObject) -> BoolMask:
    found: BoolMask = decode_brush(region["value"]["rle"], COINS) > 127
    return found


def shows(region: JSONObject, x: float, y: float) -> bool:
    return bool(mask(region)[int(y * COINS.height), int(x * COINS.width)])


def test_a_box_around_one_coin_suggests_all_others_and_what_was_rejected_stays_away(
    studio: Studio, editor: Editor, artifacts: Path
) -> None:
    config = pictures.WITH_EXAMPLES
    project, _ = start(studio, editor, "all its like", config, auto_accept=False)
    suggested = answered(editor.draw_box(0.03, 0.09, 0.17, 0.25))
    assert editor.count("suggestions") == len(suggested) == 1 + OTHERS
    pictures.keep(pictures.SIMILAR, editor.picture(panels=True))
    editor.screenshot(artifacts / "editor-similar.png")

    editor.reject_on_canvas(0.40, 0.27)
    editor.accept()
    (rejected,) = set(suggested) - set(editor.ids())
    assert shows(suggested[rejected], 0.40, 0.15)
    editor.wait_for_draft()
    again = editor.draw_box(0.77, 0.05, 0.99, 0.25)["data"]  # around one that is there
    assert again["error"]["code"] == "nothing_alike"
    editor.undo()

    editor.pick_tool("key-point-tool")
    refined = answered(editor.click(0.08, 0.42, keys=["Control", "Alt"]))
    (key,) = refined
    assert key in suggested
    assert not shows(refined[key], 0.08, 0.42)
    editor.accept()
    editor.submit()
    kept = exported(studio, project)
    assert kept.keys() == suggested.keys() - {rejected}
    for name, region in ({**suggested, **refined}).items():
        if name != rejected:
            assert np.array_equal(mask(kept[name]), mask(region))


def test_under_auto_accept_one_click_makes_polygons_of_all_coins(
    studio: Studio, editor: Editor
) -> None:
    project, _ = start(studio, editor, "all at once", CLICKED, auto_accept=True)
    editor.pick_tool("key-point-tool", 1)
    answer = answered(editor.click(0.10, 0.16))
    assert len(answer) == 1 + OTHERS
    assert set(editor.ids()) == answer.keys()
    editor.submit()
    kept = exported(studio, project)
    assert {key: region["value"]["points"] for key, region in kept.items()} == {
        key: region["value"]["points"] for key, region in answer.items()
    }
