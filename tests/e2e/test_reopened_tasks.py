"""What a task still holds when somebody opens it: old points, predictions, work of others."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from edgeflow_backend.protocol.config_check import RECOMMENDED
from tests.e2e.conftest import Studio
from tests.e2e.editor import Editor, open_editor, open_editor_of_colleague
from tests.e2e.test_annotating import (
    ASTRONAUT,
    answered,
    at,
    brush,
    drawn_brush,
)
from tests.pictures import WITH_BOXES

pytestmark = [pytest.mark.e2e, pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def editor(studio: Studio, chromium: str) -> Iterator[Editor]:
    with open_editor(chromium, studio.url) as editor:
        yield editor


def tasks_of(studio: Studio, title: str, config: str, count: int = 1) -> tuple[int, list[int]]:
    """A new project, and that many tasks with the same image."""
    project = studio.project(title, ["astronaut"] * count, config)["id"]
    return project, [task["id"] for task in studio.client.tasks(project)]


def test_points_that_nobody_accepted_do_not_count_after_a_reload(
    studio: Studio, editor: Editor
) -> None:
    project, (task, fresh) = tasks_of(studio, "old points", RECOMMENDED, 2)
    editor.open(project, task)
    first = answered(editor.click(0.45, 0.6))
    editor.wait_for_draft()
    second = answered(editor.click(0.30, 0.90, keys=["Alt"]))  # slowly, and still the same object
    assert at(brush(first), 0.30, 0.90)
    assert not at(brush(second), 0.30, 0.90)
    assert at(brush(second), 0.45, 0.6)
    assert editor.count("suggestions") == 1
    editor.wait_for_draft()

    editor.open(project, task)
    later = answered(editor.click(0.90, 0.30))
    sent = editor.last_request["context"]["result"]
    assert len(sent) == 3  # the old points came along
    assert ["is_positive" in point for point in sent] == [False, False, True]
    editor.open(project, fresh)
    assert answered(editor.click(0.90, 0.30))["value"] == later["value"]


def test_a_box_that_nobody_accepted_does_not_count_after_a_reload(
    studio: Studio, editor: Editor
) -> None:
    project, (task, fresh) = tasks_of(studio, "old boxes", WITH_BOXES, 2)
    editor.open(project, task)
    editor.draw_box(0.05, 0.05, 0.45, 0.45)
    editor.wait_for_draft()
    editor.open(project, task)
    later = answered(editor.draw_box(0.55, 0.65, 0.98, 0.99))
    assert len(editor.last_request["context"]["result"]) == 2
    editor.open(project, fresh)
    assert answered(editor.draw_box(0.55, 0.65, 0.98, 0.99))["value"] == later["value"]


def test_a_predicted_mask_that_the_editor_copied_is_refined_by_the_first_click(
    studio: Studio, editor: Editor
) -> None:
    project, (task,) = tasks_of(studio, "predicted masks", RECOMMENDED)
    predicted = np.zeros(ASTRONAUT, dtype=np.bool_)
    predicted[250:500, 60:330] = True  # a coarse block over the suit, and the flag beside it
    for version, mask in (("older", ~predicted), ("newer", predicted)):
        regions = [drawn_brush(version, mask)]
        body = {"task": task, "model_version": version, "result": regions}
        studio.client.call("POST", "predictions", json=body)
    editor.open(project, task, auto_accept=True)
    assert editor.ids() == ["newer"]
    refined = answered(editor.click(0.14, 0.52, keys=["Control", "Alt"]))
    assert editor.last_request["context"]["result"][0]["is_positive"] is False
    assert refined["id"] == "newer"
    assert editor.ids() == ["newer"]
    mask = brush(refined)
    assert not at(mask, 0.14, 0.52)
    assert at(mask, 0.45, 0.7)
    assert not (mask & ~predicted).any()


def test_of_two_people_who_label_a_task_the_second_gets_nothing_of_the_first(
    studio: Studio, editor: Editor
) -> None:
    project, (task, fresh) = tasks_of(studio, "two people", RECOMMENDED, 2)
    studio.client.call("PATCH", f"projects/{project}", json={"maximum_annotations": 2})
    editor.open(project, task, auto_accept=True)
    hers = answered(editor.click(0.45, 0.6))
    editor.submit()
    with open_editor_of_colleague(editor) as colleague:
        colleague.open_stream(project, auto_accept=True)
        his = answered(colleague.click(0.45, 0.6))
        assert his["id"] != hers["id"]
        assert colleague.ids() == [his["id"]]
        colleague.submit()
        colleague.open_stream(project, auto_accept=True)
        alone = answered(colleague.click(0.45, 0.6))
    assert his["value"] == alone["value"]  # bit for bit that in the task without her
    results = [a["result"] for a in studio.client.call("GET", f"tasks/{task}/annotations")]
    assert [[region["id"] for region in result] for result in results] == [
        [hers["id"]],
        [his["id"]],
    ]
    assert studio.client.call("GET", f"tasks/{fresh}/annotations") == []
