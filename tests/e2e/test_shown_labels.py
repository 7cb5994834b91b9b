"""Labelling configs of many kinds: what is stored has each label, control, image and page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.e2e.conftest import Studio
from tests.e2e.editor import Editor, open_editor
from tests.e2e.shown import RED, YELLOW, Screen, overlap, picture, uri

pytestmark = [pytest.mark.e2e, pytest.mark.browser, pytest.mark.slow]

FIRST, SECOND = uri("PNG", picture()), uri("PNG", picture(YELLOW))
IMAGE = '<Image name="image" value="$image"/>'


def controls(image: str = "image", suffix: str = "", labels: str = "", more: str = "") -> str:
    """Keypoints and brush for an image."""
    inside = labels or '<Label value="Cat" background="#1E90FF"/><Label value="Dog"/>'
    return (
        f'<KeyPointLabels name="click{suffix}" toName="{image}" smart="true" smartOnly="true"'
        f" {more}>{inside}</KeyPointLabels>"
        f'<BrushLabels name="mask{suffix}" toName="{image}" smart="false" {more}>{inside}'
        "</BrushLabels>"
    )


@dataclass(frozen=True)
class Case:
    """What is clicked in a config, and what must be stored.

    Attributes:
        config: Without its View.
        data: The task's.
        labels: Stored, in this order.
        pick: Which labels are picked, by their place on the page.
        colour: Of the object that is clicked on.
        stored: Fields of the region that is stored.
        tool: Place of the smart tool: each image has its own.
    """

    config: str
    data: dict[str, Any]
    labels: list[str]
    pick: tuple[int, ...] = (0,)
    colour: tuple[int, int, int] = RED
    stored: dict[str, Any] = field(default_factory=dict)
    tool: int = 0


HERE = {"from_name": "mask", "to_name": "image"}
CASES = {
    "several labels": Case(
        controls(more='choice="multiple"') + IMAGE, {"image": FIRST}, ["Cat", "Dog"], (0, 1),
        stored=HERE,
    ),
    "labels from the task": Case(
        controls(labels=" ", more='value="$labels"') + IMAGE,
        {"image": FIRST, "labels": [{"value": "Fox"}, {"value": "Owl"}]}, ["Owl"], (1,),
        stored=HERE,
    ),
    "tags in other case": Case(
        (controls() + IMAGE).replace("KeyPointLabels", "KeypointLabels")
        .replace("BrushLabels", "Brushlabels"),
        {"image": FIRST}, ["Cat"], stored=HERE,
    ),
    "repeater": Case(
        '<Repeater on="$pages" indexFlag="{{idx}}">'
         '<Image name="page_{{idx}}" value="$pages[{{idx}}].url"/>'
        + controls("page_{{idx}}", "_{{idx}}") + "</Repeater>",
        {"pages": [{"url": FIRST}, {"url": SECOND}]}, ["Cat"], (4,), YELLOW,
        {"from_name": "mask_1", "to_name": "page_1"}, tool=1,
    ),
    "two images": Case(
        controls() + IMAGE + controls("other", "_2") + '<Image name="other" value="$other"/>',
        {"image": FIRST, "other": SECOND}, ["Dog"], (5,), YELLOW,
        {"from_name": "mask_2", "to_name": "other"}, tool=1,
    ),
    "an element of a list": Case(
        controls() + '<Image name="image" value="$images[1]"/>',
        {"images": [FIRST, SECOND]}, ["Cat"], (0,), YELLOW, HERE,
    ),
    "a value list": Case(
        controls() + '<Image name="image" valueList="$images"/>',
        {"images": [FIRST, SECOND]}, ["Cat"], (0,), RED, {**HERE, "item_index": 0},
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def editor(studio: Studio, chromium: str) -> Iterator[Editor]:
    with open_editor(chromium, studio.url) as editor:
        yield editor


@pytest.mark.parametrize("name", CASES)
def test_what_is_stored_has_every_label_and_its_image(
    studio: Studio, editor: Editor, name: str
) -> None:
    case = CASES[name]
    project = studio.client.create_project(f"labels: {name}", f"<View>{case.config}</View>")["id"]
    studio.client.connect_backend(project, studio.backend_url)
    studio.client.call("POST", f"projects/{project}/import", json=[case.data])
    (task,) = studio.client.tasks(project)
    editor.open(project, task["id"], auto_accept=True)
    if case.tool:
        editor.page.locator(".lsf-tool_smart").nth(case.tool).click()
    before = Screen.of(editor.page)
    answer = editor.click_on_page(*before.middle(case.colour), labels=case.pick)
    after = Screen.of(editor.page)
    assert "error" not in answer["data"], answer["data"]["error"]
    assert overlap(before.changed(after, case.colour), before.where(case.colour)) > 0.8
    editor.submit()
    (annotation,) = studio.client.call("GET", f"tasks/{task['id']}/annotations")
    (region,) = annotation["result"]
    assert region["value"]["brushlabels"] == case.labels
    assert {key: region.get(key) for key in case.stored} == case.stored
