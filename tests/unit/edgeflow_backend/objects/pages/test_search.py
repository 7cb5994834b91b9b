"""One object on all pages, with the real network behind it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
import pytest

from edgeflow.inference.predictor import Predictor
from edgeflow.label_studio.config.label_config import parse_label_config
from edgeflow.label_studio.values import JSONObject
from edgeflow.masks.rasterize import rasterize
from edgeflow_backend.protocol.prompts import parse_prompt
from edgeflow_backend.requests import Answer, Request
from edgeflow_backend.segmenter.local import LocalSegmenter
from edgeflow_backend.segmenter.pages import AskedPages, CarriedPages
from edgeflow_backend.segmenter.segmenter import Model
from edgeflow_backend.settings import Settings
from edgeflow_backend.status.journal import Journal
from tests import moving
from tests.moving import SIZE, BoolMask
from tests.unit.edgeflow_backend.samples import projects_with_overlap
from tests.unit.local_service import local, local_service

CONFIG = """<View>
  <KeyPoint name="click" toName="image" smart="true" smartOnly="true"/>
  <KeyPoint name="pages" toName="image" smart="true" smartOnly="true" edgeflowFind="pages"/>
  <Image name="image" valueList="$pages"/>
  <PolygonLabels name="mask" toName="image" smart="false"><Label value="Shape"/></PolygonLabels>
</View>"""

COUNT = 8
EVERY = list(range(COUNT))

Make = Callable[..., "Desk"]


@cache
def uri(page: int) -> str:
    return moving.data_uri(page)


def click(
    page: int, key: str, *, off: tuple[float, float] = (0, 0), positive: bool = True, **more: Any
) -> JSONObject:
    """A click on the shape of a page, or beside its middle."""
    x, y = moving.middle(page)
    return {
        "id": key,
        "type": "keypoint",
        "from_name": "pages",
        "to_name": "image",
        "item_index": page,
        "original_width": SIZE.width,
        "original_height": SIZE.height,
        "is_positive": positive,
        "value": {
            "x": (x + off[0]) * 100 / SIZE.width,
            "y": (y + off[1]) * 100 / SIZE.height,
            "width": 0.3,
        },
        **more,
    }


def mask_of(region: JSONObject) -> BoolMask:
    points = np.asarray(region["value"]["points"]) / 100 * [SIZE.width, SIZE.height]
    return rasterize(points, SIZE)


def by_page(regions: Sequence[JSONObject]) -> dict[int, JSONObject]:
    """Regions by their page; each page has one."""
    found = {region["item_index"]: region for region in regions}
    assert len(found) == len(regions)
    return found


class Desk:
    """A backend, and an annotator in a project where one person annotates each task."""

    def __init__(self, predictor: Predictor, **settings: Any) -> None:
        self.now = 1000.0
        self.journal = Journal()
        settings = {"pages_seconds": 60, **settings}  # nothing that a busy machine would cut short
        self.service = local_service(
            Settings(**settings),
            predictor,
            journal=self.journal,
            projects=projects_with_overlap(1),
            clock=lambda: self.now,
        )

    def answer(
        self,
        *prompts: JSONObject,
        draft: Sequence[JSONObject] = (),
        config: str = CONFIG,
        pages: Sequence[object] | None = None,
        wait_s: float = 20.0,
    ) -> Answer:
        self.now += wait_s
        listed = [uri(page) for page in EVERY] if pages is None else list(pages)
        task: JSONObject = {"id": 3, "data": {"pages": listed}}
        if draft:
            task["drafts"] = [{"updated_at": "2026", "user": "ann", "result": list(draft)}]
        parsed = parse_label_config(config).for_task(task["data"])
        found = parse_prompt({"result": list(prompts)}, max_clicks=100, config=parsed)
        return self.service.segment(Request(task, found, parsed))

    def ask(self, *prompts: JSONObject, **more: Any) -> dict[int, JSONObject]:
        return by_page(self.answer(*prompts, **more).regions)

    def noted(self) -> dict[str, str]:
        """What the status page says, by code."""
        return {note.code: note.message for note in self.journal.notes.recent()}


@pytest.fixture(scope="module")
def make(predictor: Predictor) -> Make:
    return lambda **settings: Desk(predictor, **settings)


@pytest.fixture(scope="module")
def first(make: Make) -> dict[int, JSONObject]:
    """What a click on the third page gets."""
    return make().ask(click(2, "p"))


def test_a_click_answers_all_pages_each_with_a_score_and_a_record(
    first: dict[int, JSONObject],
) -> None:
    assert sorted(first) == EVERY
    assert all(moving.iou(mask_of(region), page) > 0.8 for page, region in first.items())
    assert len({region["id"] for region in first.values()}) == COUNT
    assert all(0.4 <= region["score"] <= 1 for region in first.values())
    records = [region["meta"]["edgeflow"] for region in first.values()]
    assert {record["track"] for record in records} == {first[2]["id"]}


def test_a_correction_of_a_suggestion_carries_on_and_keeps_the_rest(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = make()
    before = desk.ask(click(2, "p"))
    segmenter = local(desk.service)
    asked: list[AskedPages] = []

    def carry(pages: AskedPages, model: Model, *, deadline: float) -> CarriedPages:
        asked.append(pages)
        return LocalSegmenter.carry(segmenter, pages, model, deadline=deadline)

    monkeypatch.setattr(segmenter, "carry", carry)
    again = desk.ask(click(2, "p"), click(5, "q", off=(12, 0), positive=False))
    assert {page: region["id"] for page, region in again.items()} == {
        page: region["id"] for page, region in before.items()
    }
    # It is carried from the corrected page only, and half way back to the other one at most.
    assert [(w.start, w.step, w.count) for w in asked[0].ways] == [(5, 1, 2), (5, -1, 1)]
    assert all(again[page]["value"] == before[page]["value"] for page in (0, 1, 2, 3))
    assert [each[0] for each in again[5]["meta"]["edgeflow"]["clicks"]] == ["q"]


def test_what_is_stored_is_never_answered_and_a_click_there_goes_on_behind_it(make: Make) -> None:
    desk = make(pages_limit=3)
    some = desk.ask(click(0, "p"))
    assert sorted(some) == [0, 1, 2, 3]
    assert "pages_unfinished" in desk.noted()
    accepted = list(some.values())
    corrected = desk.ask(click(2, "q", off=(14, 0), positive=False), draft=accepted)
    assert sorted(corrected) == [2, 4, 5, 6]
    assert corrected[2]["id"] == some[2]["id"]
    assert {r["meta"]["edgeflow"]["track"] for r in corrected.values()} == {some[0]["id"]}


def test_a_click_beside_an_object_that_is_stored_goes_on_with_it(make: Make) -> None:
    desk = make(pages_limit=3)
    some = desk.ask(click(0, "p"))
    behind = desk.ask(click(4, "q"), draft=list(some.values()))
    assert sorted(behind) == [4, 5, 6, 7]
    assert {r["meta"]["edgeflow"]["track"] for r in behind.values()} == {some[0]["id"]}


def test_what_was_deleted_stays_away(make: Make) -> None:
    desk = make()
    some = desk.ask(click(0, "p"))
    kept = [region for page, region in some.items() if page < 5]
    again = desk.ask(click(4, "q", off=(12, 0), positive=False), draft=kept)
    assert sorted(again) == [4]


def test_a_page_that_cannot_be_read_ends_its_direction_and_is_told(make: Make) -> None:
    desk = make()
    pages: list[object] = [uri(page) for page in EVERY]
    pages[5] = "data:image/png;base64,AAAA"
    pages[1] = None
    assert sorted(desk.ask(click(3, "p"), pages=pages)) == [2, 3, 4]
    assert desk.noted().keys() == {"page_unreadable"}


def test_a_single_image_is_answered_and_the_status_says_why_there_is_no_more(make: Make) -> None:
    desk = make()
    assert sorted(desk.ask(click(0, "p"), pages=[uri(0)])) == [0]
    assert desk.noted().keys() == {"pages_none"}


REPEATED = """<View><Repeater on="$pages" indexFlag="{{idx}}">
  <KeyPoint name="pages_{{idx}}" toName="page_{{idx}}" smart="true" edgeflowFind="pages"/>
  <Image name="page_{{idx}}" value="$pages[{{idx}}]"/>
  <PolygonLabels name="mask_{{idx}}" toName="page_{{idx}}"><Label value="Shape"/></PolygonLabels>
</Repeater></View>"""


def test_the_images_of_a_repeater_are_pages(make: Make) -> None:
    point = click(1, "p", from_name="pages_1", to_name="page_1")
    del point["item_index"]
    answer = make().answer(point, config=REPEATED, pages=[uri(page) for page in range(4)])
    names = {(region["to_name"], region["from_name"]) for region in answer.regions}
    assert names == {(f"page_{page}", f"mask_{page}") for page in range(4)}
    assert not any("item_index" in region for region in answer.regions)


BESIDE = "".join(
    f"""<KeyPoint name="pages_{tag}" toName="{tag}" smart="true" edgeflowFind="pages"/>
    <Image name="{tag}" value="$pages[{page}]"/>
    <PolygonLabels name="mask_{tag}" toName="{tag}"><Label value="{label}"/></PolygonLabels>"""
    for page, (tag, label) in enumerate((("a", "Shape"), ("b", "Shape"), ("c", "Other")))
)
"""Three views beside each other, the last of which has no such label."""

PLAN = """<Image name="plan" value="$pages[3]"/>
  <PolygonLabels name="mask_plan" toName="plan"><Label value="Shape"/></PolygonLabels>"""


def test_image_tags_of_which_each_asks_for_pages_are_pages(make: Make) -> None:
    config = f"<View>{BESIDE}{PLAN}</View>"
    pages = [uri(page) for page in range(4)]
    point = click(1, "p", from_name="pages_b", to_name="b")
    del point["item_index"]
    desk = make()
    answer = desk.answer(point, config=config, pages=pages)
    names = {(region["to_name"], region["from_name"]) for region in answer.regions}
    assert names == {("a", "mask_a"), ("b", "mask_b")}
    assert len({region["id"] for region in answer.regions}) == 2
