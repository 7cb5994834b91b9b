"""The whole path by mouse: click, click, Alt-click, accept, submit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeflow.geometry import Size
from edgeflow.label_studio.brush_rle import decode_brush
from tests import pictures
from tests.e2e.conftest import Studio
from tests.e2e.editor import open_editor

pytestmark = [pytest.mark.e2e, pytest.mark.browser, pytest.mark.slow]

ASTRONAUT = Size(512, 512)


def test_three_mouse_clicks_make_a_mask_that_is_accepted_submitted_and_stored(
    studio: Studio, chromium: str, artifacts: Path
) -> None:
    project = studio.project("by mouse", ["astronaut"])["id"]
    (task,) = studio.client.tasks(project)
    with open_editor(chromium, studio.url) as editor:
        editor.open(project, task["id"])
        editor.click(0.45, 0.6)
        editor.screenshot(artifacts / "editor-1-first-click.png")
        editor.click(0.43, 0.2)
        answer = editor.click(0.85, 0.4, keys=["Alt"])
        assert editor.count("suggestions") == 1
        editor.screenshot(artifacts / "editor-2-third-click.png")
        pictures.keep(pictures.README, editor.page.screenshot())
        editor.accept()
        assert editor.count("suggestions") == 0
        editor.submit()
        editor.screenshot(artifacts / "editor-3-submitted.png")

    (suggested,) = answer["data"]["result"]
    (annotation,) = studio.client.call("GET", f"tasks/{task['id']}/annotations")
    (stored,) = [r for r in annotation["result"] if r["type"] == "brushlabels"]
    expected, saved = (decode_brush(r["value"]["rle"], ASTRONAUT) for r in (suggested, stored))
    np.testing.assert_array_equal(saved, expected)
    assert saved[100, 220] == 255  # the face, by the second click
    assert saved[205, 435] == 0  # the shuttle, by the negative click
    assert 0.3 < (saved > 0).mean() < 0.6
