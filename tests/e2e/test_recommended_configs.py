"""Every recommended labelling config by mouse: few actions, and exports with the right labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.run import prepare
from edgeflow.geometry import Size
from edgeflow_backend.protocol.recommended import RECOMMENDATIONS
from tests import pictures
from tests.e2e.conftest import Studio
from tests.e2e.editor import Editor, open_editor
from tests.e2e.label_studio_exports import READERS, labels_of_json, unpack

pytestmark = [pytest.mark.e2e, pytest.mark.browser, pytest.mark.slow]

COINS = Size(303, 384)
SMALL, LARGE = (0.25, 0.17), (0.885, 0.13)
LEFT = (0.1, 0.41)


@pytest.fixture(scope="module")
def editor(studio: Studio, chromium: str) -> Iterator[Editor]:
    with open_editor(chromium, studio.url) as editor:
        yield editor


@pytest.mark.parametrize("number", pictures.EXAMPLES)
@pytest.mark.parametrize("kind", RECOMMENDATIONS)
def test_a_recommended_config_takes_few_actions_and_is_exported_with_its_labels(
    studio: Studio, editor: Editor, tmp_path: Path, kind: str, number: str
) -> None:
    picture, labels = pictures.of_config(kind, number), pictures.EXAMPLES[number]
    project = studio.project(picture.name, [picture.photo], picture.config)["id"]
    (task,) = studio.client.tasks(project)
    editor.open(project, task["id"])
    several = len(labels) > 1
    presses = len(editor.presses())

    first = editor.click(*SMALL)
    assert len(editor.presses()) - presses == 1 + several
    editor.accept()
    if several:
        editor.page.keyboard.press("2")
    second = editor.click(*LARGE, labels=())
    assert len(editor.presses()) - presses == 3 + several  # the tick and the click
    editor.accept()
    pictures.keep(picture, editor.picture())
    editor.click(*LEFT, labels=())
    editor.submit()  # without the tick: the last point stays in the annotation

    answers = [region for body in (first, second) for region in body["data"]["result"]]
    assert {region["type"] for region in answers} <= {
        kind.lower(),
        f"{kind.lower()}labels",
        "labels",
    }
    expected = Counter(label.value for label in (labels[0], labels[-1]))
    path = f"projects/{project}/export"
    json_export = studio.client.raw("GET", path, params={"exportType": "JSON"}).content
    assert b'"keypoint"' in json_export
    assert labels_of_json(json_export) == expected
    offered = studio.client.call("GET", f"projects/{project}/export/formats")
    enabled = {each["name"] for each in offered if not each.get("disabled")}
    for kind_of_export in RECOMMENDATIONS[kind].exports:
        assert kind_of_export in enabled
        content = studio.client.raw("GET", path, params={"exportType": kind_of_export}).content
        folder = tmp_path / kind_of_export
        unpack(content, folder)
        objects = READERS[kind_of_export](folder, COINS)
        assert Counter(label for label, _ in objects) == expected
        small, large = sorted(pixels for _, pixels in objects)
        assert 700 < small < 1700 < large < 4000


def test_the_demos_first_mask_takes_three_mouse_actions_and_the_next_tasks_one(
    studio: Studio, editor: Editor
) -> None:
    project = prepare(studio.client, studio.backend_url)
    found = studio.client.tasks(project)
    tasks = {task["data"]["image"].rpartition("-")[2]: task["id"] for task in found}
    editor = editor.in_another_browser()  # which remembers no switch and no tool
    editor.page.set_viewport_size({"width": 1500, "height": 900})
    editor.open(project, tasks["coffee.jpg"])
    editor.click(0.48, 0.4)
    assert editor.count("suggestions") == 1
    assert len(editor.presses()) == 3
    editor.page.mouse.move(2, 2)
    pictures.keep(pictures.FIRST_MASK, editor.page.screenshot(), editor.presses())
    editor.click(0.36, 0.66)  # the cup's handle
    editor.click(0.70, 0.18, keys=["Alt"])  # the spoon's
    editor.accept()
    pictures.keep(pictures.ACCEPTED, editor.page.screenshot(), editor.presses()[3:], first=4)
    editor.submit()

    editor.open(project, tasks["coins.jpg"])
    assert editor.presses() == []
    editor.click(*SMALL)
    assert editor.count("suggestions") == 1
    assert len(editor.presses()) == 1
