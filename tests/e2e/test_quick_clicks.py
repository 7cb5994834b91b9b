"""A quick annotator, and one who changes their mind, by mouse in a real Label Studio."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from edgeflow.geometry import Size
from edgeflow.label_studio.brush_rle import decode_brush
from edgeflow_backend.protocol.config_check import RECOMMENDED
from tests.e2e.conftest import Studio
from tests.e2e.editor import Editor, open_editor
from tests.e2e.shown import BoolMask, overlap

pytestmark = [pytest.mark.e2e, pytest.mark.browser, pytest.mark.slow]

JSONObject = dict[str, Any]
SIZE = Size(303, 384)
COINS = [
    (0.116, 0.178), (0.261, 0.186), (0.405, 0.168), (0.562, 0.169), (0.718, 0.174), (0.872, 0.144),
    (0.119, 0.409), (0.268, 0.416), (0.400, 0.420), (0.536, 0.410), (0.705, 0.394), (0.877, 0.411),
]  # fmt: skip
PACES_MS = [150, 250, 400]


@pytest.fixture(scope="module")
def editor(studio: Studio, chromium: str) -> Iterator[Editor]:
    with open_editor(chromium, studio.url) as editor:
        yield editor


def coins(studio: Studio, title: str, count: int) -> tuple[int, list[int]]:
    """A project of its own and its tasks, all the same picture."""
    project = studio.project(title, ["coins"] * count)["id"]
    return project, [task["id"] for task in studio.client.tasks(project)]


def mask(region: JSONObject) -> BoolMask:
    found: BoolMask = decode_brush(region["value"]["rle"], SIZE) > 127
    return found


def without_mask(results: list[JSONObject]) -> list[tuple[float, float]]:
    """The coins on which no region lies."""
    masks = [mask(each) for each in results if each["type"] == "brushlabels"]
    return [
        (x, y)
        for x, y in COINS
        if not any(found[round(y * SIZE.height), round(x * SIZE.width)] for found in masks)
    ]


def clicks(region: JSONObject) -> list[Any]:
    recorded: list[Any] = region["meta"]["edgeflow"]["clicks"]
    return recorded


def only(body: JSONObject) -> JSONObject:
    """The only region of an answer."""
    assert "error" not in body["data"], body["data"]["error"]
    (region,) = body["data"]["result"]
    found: JSONObject = region
    return found


def alone(studio: Studio, request: JSONObject, number: int) -> BoolMask:
    """The mask of a coin's click in a task that nobody else works at."""
    point = {**request["context"]["result"][-1], "id": f"slow {number}", "is_positive": True}
    x, y = COINS[number]
    point["value"] = {**point["value"], "x": 100 * x, "y": 100 * y}
    task = studio.client.call("GET", f"tasks/{request['task']}")
    body = {
        "tasks": [{"id": f"alone {number}", "data": task["data"]}],
        "project": "1.1",
        "label_config": RECOMMENDED,
        "params": {"context": {"result": [point]}},
    }
    answer = requests.post(f"{studio.backend_url}/predict", json=body, timeout=60).json()
    return mask(answer["results"][0]["result"][0])


def test_each_of_twelve_quick_clicks_gets_its_region_under_auto_accept(
    studio: Studio, editor: Editor
) -> None:
    project, tasks = coins(studio, "quick clicks", len(PACES_MS) + 1)
    editor.open(project, tasks[-1], auto_accept=True)
    only(editor.click(*COINS[0]))
    slow = [alone(studio, editor.last_request, number) for number in range(len(COINS))]
    for pace, task in zip(PACES_MS, tasks, strict=False):
        editor.open(project, task, auto_accept=True)
        already = editor.requests_without_points
        editor.click_quickly(COINS, pace)
        editor.wait_for_answers()
        # Clicks that Label Studio itself took back are made again, as a person would.
        lost = editor.requests_without_points - already
        missing = without_mask(editor.results())
        assert len(missing) <= lost, f"{pace} ms: no mask for {missing}"
        for place in missing:
            only(editor.click(*place))
        if pace == PACES_MS[0]:  # a quick annotator's masks are refined before any draft is saved
            shrunk = only(editor.click(0.27, 0.42, keys=["Control", "Alt"]))
            assert len(clicks(shrunk)) == 2
            assert clicks(shrunk)[1][3] is False
        editor.wait_for_answers()  # a busy browser takes a while to make an answer a region
        editor.submit()
        (annotation,) = studio.client.call("GET", f"tasks/{task}/annotations")
        # A label that was picked for the next click joins the region as a second result.
        regions = [each for each in annotation["result"] if each["type"] == "brushlabels"]
        told = [(each["type"], each.get("meta", {}).get("edgeflow")) for each in regions]
        assert len(regions) == len(COINS), f"{pace} ms: {told}"
        for number, expected in enumerate(slow):
            if pace == PACES_MS[0] and number == 7:
                continue
            best = max(overlap(mask(region), expected) for region in regions)
            assert best >= 0.95, f"coin {number} at {pace} ms"


def test_without_auto_accept_quick_clicks_make_one_object(studio: Studio, editor: Editor) -> None:
    project, (task,) = coins(studio, "quick clicks on one coin", 1)
    editor.open(project, task)
    x, y = COINS[2]
    editor.click_quickly([(x, y), (x + 0.02, y), (x - 0.02, y + 0.02)], 250)
    editor.page.wait_for_function(
        "() => [...window.Htx.annotationStore.selected.suggestions.values()].length === 1"
    )
    again = only(editor.click(x, y + 0.03))
    assert len(clicks(again)) == 4
    assert editor.count("suggestions") == 1


def test_what_was_rejected_deleted_or_undone_does_not_come_back(
    studio: Studio, editor: Editor
) -> None:
    project, tasks = coins(studio, "second thoughts", 3)
    place = COINS[4]

    editor.open(project, tasks[0], auto_accept=True)
    first = only(editor.click(*place))
    for take_back in (editor.undo, lambda: editor.delete(*place)):
        take_back()
        assert editor.ids() == []
        again = only(editor.click(*place))
        assert again["value"] == first["value"]
        assert len(clicks(again)) == 1
    editor.wait_for_draft()
    editor.delete(*place)  # the draft still has it
    again = only(editor.click(*place))
    assert again["value"] == first["value"]
    assert len(clicks(again)) == 1
    assert editor.ids() == [again["id"]]

    editor.open(project, tasks[1])
    only(editor.click(*place))
    editor.reject()
    again = only(editor.click(*place))
    assert again["value"] == first["value"]
    assert len(clicks(again)) == 1

    editor.open(project, tasks[2], auto_accept=True)
    x, y = place
    editor.click_quickly([place], 0)
    editor.page.wait_for_timeout(300)
    negative, already = (x + 0.02, y + 0.02), editor.requests_without_points
    editor.click_quickly([negative], 0, keys=["Control", "Alt"])
    editor.wait_for_answers()
    if editor.requests_without_points > already:  # Label Studio itself took it back
        only(editor.click(*negative, keys=["Control", "Alt"]))
    (refined,) = editor.ids()
    beside = only(editor.click(x - 0.03, y, keys=["Control"]))
    assert [click[3] for click in clicks(beside)] == [True, False, True]
    assert editor.ids() == [beside["id"]] == [refined]
