"""Every recommended labelling config by mouse: few actions, and exports with the right labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.run import prepare
from edgeflow.geometry import Size
from edgeflow.label_studio.config.recommended import RECOMMENDATIONS
from tests import pictures
from tests.e2e.conftest import Studio
from tests.e2e.editor import Editor, open_editor
from tests.e2e.label_studio_exports import READERS, Objects, labels_of_json, read_coco, unpack
from tests.e2e.test_export import export as edgeflow_export
from tools.generate_docs import EXAMPLES

pytestmark = [pytest.mark.e2e, pytest.mark.browser, pytest.mark.slow]

COINS = Size(303, 384)
SMALL, LARGE = (0.25, 0.17), (0.885, 0.13)
LEFT = (0.1, 0.41)


@pytest.fixture(scope="module")
def editor(studio: Studio, chromium: str) -> Iterator[Editor]:
    with open_editor(chromium, studio.url) as editor:
        yield editor


@pytest.mark.parametrize("number", EXAMPLES)
@pytest.mark.parametrize("kind", RECOMMENDATIONS)
def test_a_recommended_config_takes_few_actions_and_is_exported_with_its_labels(
    studio: Studio, editor: Editor, tmp_path: Path, kind: str, number: str
) -> None:
    picture, labels = pictures.of_config(kind, number), EXAMPLES[number]
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

    row = RECOMMENDATIONS[kind]
    answers = [region for body in (first, second) for region in body["data"]["result"]]
    control = (row.several if several else row.one).lower()
    assert {region["type"] for region in answers} <= {control, "labels"}
    expected = Counter(label.value for label in (labels[0], labels[-1]))
    in_json = own_export(studio, project, "JSON")
    assert b'"keypoint"' in in_json
    assert labels_of_json(in_json) == expected
    offered = studio.client.call("GET", f"projects/{project}/export/formats")
    assert {each["name"] for each in offered if not each.get("disabled")} >= set(row.exports)
    for name in row.exports:
        unpack(own_export(studio, project, name), tmp_path / name)
        check_objects(READERS[name](tmp_path / name, COINS), expected)
    edgeflow_export(studio, project, tmp_path / "coco")
    check_objects(read_coco(tmp_path / "coco", COINS), expected)


def own_export(studio: Studio, project: int, kind: str) -> bytes:
    """One of Label Studio's own exports, a file."""
    path = f"projects/{project}/export"
    return studio.client.raw("GET", path, params={"exportType": kind}).content


def check_objects(objects: Objects, labels: Counter[str]) -> None:
    """The small coin and the large one are there once each, with their labels."""
    assert Counter(label for label, _ in objects) == labels
    small, large = sorted(objects, key=lambda each: each[1])
    assert 700 < small[1] < 1700 < large[1] < 4000
    if len(labels) > 1:
        assert (small[0], large[0]) == ("Small coin", "Large coin")


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
    pictures.keep(pictures.FIRST_MASK, editor.page.screenshot(), marks=editor.presses())
    editor.click(0.36, 0.66)  # the cup's handle
    editor.click(0.68, 0.82, keys=["Alt"])  # the saucer
    editor.accept()
    shot = editor.page.screenshot()
    pictures.keep(pictures.ACCEPTED, shot, marks=editor.presses()[3:], first=4)
    editor.submit()

    editor.open(project, tasks["coins.jpg"])
    assert editor.presses() == []
    editor.click(*SMALL)
    assert editor.count("suggestions") == 1
    assert len(editor.presses()) == 1


def test_what_the_troubleshooting_page_says_of_keys_and_tools(
    studio: Studio, editor: Editor
) -> None:
    project = studio.project("troubleshooting", ["coins"], pictures.WITH_BOXES)["id"]
    (task,) = studio.client.tasks(project)
    editor.open(project, task["id"], auto_accept=True)
    (mask,) = editor.click(*LARGE)["data"]["result"]
    assert editor.sends_nothing(*LARGE)  # it selects the mask
    assert editor.count("selectedRegions") == 1
    editor.page.keyboard.press("Escape")
    assert editor.count("selectedRegions") == 0
    (refined,) = editor.click(LARGE[0] + 0.02, LARGE[1], keys=["Meta"])["data"]["result"]
    assert refined["id"] == mask["id"]  # Cmd on a Mac
    editor.page.keyboard.press("Escape")
    editor.pick_tool("rectangle-tool")
    assert editor.sends_nothing(*SMALL)
