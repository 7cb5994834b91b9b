"""Which object a click is about, with the real network behind it."""

from __future__ import annotations

import copy
import io
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from edgeflow.errors import PromptError
from edgeflow.geometry import Size
from edgeflow.inference.predictor import Predictor
from edgeflow.label_studio.brush_rle import decode_brush, encode_brush
from edgeflow.label_studio.config.label_config import parse_label_config
from edgeflow.label_studio.values import JSONObject
from edgeflow_backend.protocol.prompts import parse_prompt
from edgeflow_backend.requests import Request
from edgeflow_backend.settings import Settings
from edgeflow_backend.status.metrics import Metrics
from tests.unit.edgeflow_backend.samples import (
    click,
    data_uri,
    disk,
    disk_request,
    projects_with_overlap,
)
from tests.unit.local_service import local_service

SIZE = Size(120, 160)
BoolMask = npt.NDArray[np.bool_]
Make = Callable[..., "Desk"]


class Desk:
    """A backend, and an annotator whose clicks come alone, in a project with that overlap."""

    def __init__(self, predictor: Predictor, overlap: int = 1, **settings: Any) -> None:
        self.now = 1000.0
        self.service = local_service(
            Settings(**settings),
            predictor,
            Metrics(),
            projects=projects_with_overlap(overlap),
            clock=lambda: self.now,
        )

    def ask(self, *points: JSONObject, draft: list[JSONObject] | None = None, **task: Any) -> Any:
        self.now += 1.0
        body = disk_request(*points)
        drafts = [] if draft is None else [{"updated_at": "2026", "result": draft}]
        asked = {**body["tasks"][0], "drafts": drafts, **task}
        prompt = parse_prompt(body["params"]["context"], max_clicks=100)
        config = parse_label_config(body["label_config"]).for_task(body["tasks"][0]["data"])
        return self.service.segment(Request(asked, prompt, config)).regions[0]


def point(x: float, y: float, key: str, *, positive: bool = True) -> JSONObject:
    return {**click(x, y, positive=positive), "id": key}


def mask_of(region: JSONObject) -> BoolMask:
    return decode_brush(region["value"]["rle"], SIZE) > 0


def by_hand(mask: BoolMask, **changes: Any) -> JSONObject:
    value = {"format": "rle", "rle": list(encode_brush(mask)), "brushlabels": ["Object"]}
    return {
        "id": "by-hand", "type": "brushlabels", "from_name": "mask", "to_name": "image",
        "original_width": 160, "original_height": 120, "origin": "manual", "value": value,
        **changes,
    }  # fmt: skip


@pytest.fixture
def make(predictor: Predictor) -> Make:
    return lambda **settings: Desk(predictor, **settings)


CLICKS = [
    point(50, 50, "a"),
    point(45, 55, "b"),
    point(55, 45, "c", positive=False),
    point(40, 40, "d"),
]


def test_lone_clicks_with_drafts_make_the_mask_of_all_clicks_at_once(make: Make) -> None:
    expected = [make().ask(*CLICKS[:count]) for count in (1, 2, 3, 4)]
    desk, draft = make(), None
    for clicked, whole in zip(CLICKS, expected, strict=True):
        region = desk.ask(clicked, draft=draft)
        assert region["value"] == whole["value"]
        assert draft is None or region["id"] == draft[0]["id"]
        draft = [{**region, "origin": "manual"}]
        desk.now += 60  # long after the memory forgot


def test_the_same_after_every_restart(make: Make) -> None:
    draft = None
    for clicked in CLICKS:
        draft = [make().ask(clicked, draft=draft)]
    assert draft is not None
    assert draft[0]["value"] == make().ask(*CLICKS)["value"]


def test_the_same_while_the_draft_lags_behind(make: Make) -> None:
    desk = make()
    regions = [desk.ask(clicked) for clicked in CLICKS]
    assert len({region["id"] for region in regions}) == 1
    assert regions[-1]["value"] == make().ask(*CLICKS)["value"]
    later = desk.ask(point(50, 52, "e"), draft=[regions[1]])  # an old draft arrives
    assert later["value"] == make().ask(*CLICKS, point(50, 52, "e"))["value"]


def test_a_repeated_request_gets_the_same_answer(make: Make) -> None:
    desk = make()
    first = desk.ask(CLICKS[0])
    second = desk.ask(CLICKS[1], draft=[first])
    assert desk.ask(CLICKS[1], draft=[first]) == second
    assert desk.ask(CLICKS[0]) == first


def test_a_lone_negative_click_shrinks_the_mask_it_falls_on(make: Make) -> None:
    desk = make()
    first = desk.ask(CLICKS[0])
    desk.now += 60
    negative = point(50, 50, "n", positive=False)
    with pytest.raises(PromptError, match="negative"):
        desk.ask({**negative, "id": "m"})  # no draft, nothing remembered
    changed = desk.ask(negative, draft=[first])
    assert changed["id"] == first["id"]


@pytest.mark.parametrize("place", [(97, 5), (97, 97)])
def test_a_click_elsewhere_begins_a_new_object(make: Make, place: tuple[float, float]) -> None:
    desk = make()
    first = desk.ask(CLICKS[0])
    desk.now += 60
    assert desk.ask(point(*place, "x"), draft=[first])["id"] != first["id"]


def test_a_positive_click_beside_the_mask_belongs_to_it_within_reach(make: Make) -> None:
    rows, cols = np.nonzero(disk(SIZE))
    x, y = (cols.max() + 3) / 160 * 100, (rows.min() + rows.max() + 1) / 2 / 120 * 100
    drawn = by_hand(disk(SIZE))
    assert make(refine_reach=3).ask(point(x, y, "p"), draft=[drawn])["id"] == "by-hand"
    assert make(refine_reach=1).ask(point(x, y, "p"), draft=[drawn])["id"] != "by-hand"


@pytest.mark.parametrize(
    "changes",
    [
        {"to_name": "other"},
        {"from_name": "gone"},
        {"item_index": 3},
        {"type": "choices"},
        {"value": {"format": "rle", "rle": [], "brushlabels": ["Object"]}},
    ],
    ids=str,
)
def test_regions_of_another_kind_or_place_are_not_meant(
    make: Make, changes: dict[str, Any]
) -> None:
    drawn = by_hand(disk(SIZE), **changes)
    assert make().ask(CLICKS[0], draft=[drawn])["id"] != drawn["id"]


def test_another_label_is_another_object(make: Make) -> None:
    drawn = by_hand(disk(SIZE))
    drawn["value"]["brushlabels"] = ["Else"]
    assert make().ask(CLICKS[0], draft=[drawn])["id"] != "by-hand"


def test_a_click_without_a_label_means_whatever_is_there(make: Make) -> None:
    bare = copy.deepcopy(CLICKS[0])
    bare["value"].pop("keypointlabels")
    bare["value"]["labels"] = []
    region = make().ask(bare, draft=[by_hand(disk(SIZE))])
    assert region["id"] == "by-hand"
    assert region["value"]["brushlabels"] == ["Object"]


def test_the_topmost_of_two_masks_is_meant(make: Make) -> None:
    below, above = by_hand(disk(SIZE), id="below"), by_hand(disk(SIZE), id="above")
    assert make().ask(CLICKS[0], draft=[below, above])["id"] == "above"


def test_settings_say_where_to_look(make: Make) -> None:
    annotations = [{"result": [by_hand(disk(SIZE))]}]
    for refine, found in (("annotations", True), ("drafts", False), ("off", False)):
        region = make(refine=refine).ask(CLICKS[0], annotations=annotations)
        assert (region["id"] == "by-hand") == found
    assert make(refine="off").ask(CLICKS[0], draft=[by_hand(disk(SIZE))])["id"] != "by-hand"


def test_a_mask_by_hand_changes_only_around_the_click(make: Make) -> None:
    coarse = disk(SIZE).copy()
    coarse[:20, :30] = True  # a patch far from the disk, which no click is near
    region = make().ask(point(50, 50, "p"), draft=[by_hand(coarse)])
    mask = mask_of(region)
    assert mask[:20, :30].all()
    assert not (mask[:, :10] & ~coarse[:, :10]).any()


def test_an_edited_mask_is_believed_rather_than_its_record(make: Make) -> None:
    desk = make()
    region = desk.ask(CLICKS[0])
    desk.now += 60
    edited = mask_of(region)
    edited[:15, :15] = True  # painted by hand; the record stays as it was
    region["value"]["rle"] = list(encode_brush(edited))
    again = desk.ask(CLICKS[1], draft=[region])
    assert again["id"] == region["id"]
    assert mask_of(again)[:15, :15].all()
    assert again["meta"]["edgeflow"]["from_mask"] is True


def test_a_record_of_another_model_is_not_replayed(make: Make) -> None:
    desk = make()
    region = desk.ask(CLICKS[0])
    region["meta"]["edgeflow"]["model"] = "older weights"
    desk.now += 60
    assert desk.ask(CLICKS[1], draft=[region])["meta"]["edgeflow"]["from_mask"] is True


def test_clicks_that_refined_an_accepted_region_are_spent(make: Make) -> None:
    desk = make()
    first = desk.ask(CLICKS[0])
    refined = desk.ask(CLICKS[1], draft=[first])
    desk.now += 60
    leaked = desk.ask(CLICKS[1], point(97, 97, "next"), draft=[refined])
    assert leaked["value"] == make().ask(point(97, 97, "next"))["value"]


def test_a_box_is_gone_on_with_by_a_lone_click(make: Make) -> None:
    box = {
        "id": "box", "type": "rectanglelabels", "from_name": "click", "to_name": "image",
        "original_width": 160, "original_height": 120,
        "value": {"x": 20, "y": 10, "width": 60, "height": 80, "rectanglelabels": ["Object"]},
    }  # fmt: skip
    desk = make()
    first = desk.ask(box)
    second = desk.ask(CLICKS[0])  # the box itself is not sent again
    assert second["id"] == first["id"]
    assert second["meta"]["edgeflow"]["outline"]["id"] == "box"
    stored = make().ask(CLICKS[0], draft=[first])
    assert stored["value"] == second["value"]
    rows, cols = np.nonzero(mask_of(second))
    assert cols.min() >= 31
    assert rows.min() >= 11


def test_so_many_clicks_one_object_may_have_in_all(make: Make) -> None:
    desk = make(max_clicks=2)
    draft = [desk.ask(CLICKS[0])]
    draft = [desk.ask(CLICKS[1], draft=draft)]
    with pytest.raises(PromptError, match="3 clicks"):
        desk.ask(CLICKS[2], draft=draft)


@pytest.mark.parametrize(("page", "refined"), [(0, False), (1, True), (2, False)])
def test_a_mask_of_another_page_is_never_refined(make: Make, page: int, *, refined: bool) -> None:
    drawn = by_hand(disk(), item_index=1)
    region = make(refine="drafts").ask({**point(50, 50, "k"), "item_index": page}, draft=[drawn])
    assert (region["id"] == "by-hand") is refined


@pytest.mark.parametrize(
    ("labels", "refined"), [(["Object"], True), (["Object", "Red"], True), ([], False)]
)
def test_a_labelled_click_refines_a_region_that_has_its_label(
    make: Make, labels: list[str], *, refined: bool
) -> None:
    drawn = by_hand(disk())
    drawn["value"]["brushlabels"] = labels
    region = make(refine="drafts").ask(point(50, 50, "k"), draft=[drawn])
    assert (region["id"] == "by-hand") is refined
    assert region["value"]["brushlabels"] == (labels if refined else ["Object"])


@pytest.mark.parametrize("waited", [0.5, 2, 9])
@pytest.mark.parametrize("stored", [False, True])
def test_the_same_click_after_its_mask_was_removed_makes_the_same_mask(
    make: Make, waited: float, *, stored: bool
) -> None:
    desk = make()
    first = desk.ask(CLICKS[0])
    desk.now += waited - 1
    again = desk.ask({**CLICKS[0], "id": "again"}, draft=[first] if stored else None)
    assert again["value"] == first["value"]
    assert again["id"] != first["id"]
    assert len(again["meta"]["edgeflow"]["clicks"]) == 1


def undone_before(click: JSONObject) -> list[JSONObject]:
    """A draft that was saved right after a click, and without the mask that it is on."""
    return [{"updated_at": "2026-11-28T15:52:44Z", "result": [click]}]


def test_what_a_draft_shows_to_be_undone_is_not_refined(make: Make) -> None:
    elsewhere = point(40, 55, "again")
    desk = make()
    first = desk.ask(CLICKS[0])
    again = desk.ask(elsewhere, drafts=undone_before(elsewhere))
    assert again["id"] != first["id"]
    assert again["value"] == make().ask(elsewhere)["value"]


def test_a_negative_click_does_not_bring_back_what_a_draft_shows_to_be_undone(make: Make) -> None:
    negative = point(45, 72, "again", positive=False)
    desk = make()
    first = desk.ask(CLICKS[0])
    assert desk.ask({**negative, "id": "before"})["id"] == first["id"]  # nothing tells yet
    with pytest.raises(PromptError, match="all clicks are negative"):
        desk.ask(negative, drafts=undone_before(negative))


def test_a_deleted_mask_of_several_clicks_stays_gone(make: Make) -> None:
    desk = make()
    first = desk.ask(CLICKS[0])
    refined = desk.ask(CLICKS[3])
    again = desk.ask({**CLICKS[0], "id": "again"}, draft=[refined])
    assert again["value"] == first["value"]
    assert len(again["meta"]["edgeflow"]["clicks"]) == 1


@pytest.mark.parametrize("number", [2, 3], ids=["negative", "positive"])
def test_the_same_refinement_after_it_was_undone_makes_the_same_mask(
    make: Make, number: int
) -> None:
    desk = make()
    desk.ask(point(50, 50, "a"))
    place = (45, 72) if number == 2 else (69, 50)  # in the disk, and just beside it
    clicked = point(*place, "x", positive=number == 3)
    refined = desk.ask(clicked)
    again = desk.ask({**clicked, "id": "again"})
    assert (again["id"], again["value"]) == (refined["id"], refined["value"])
    assert len(again["meta"]["edgeflow"]["clicks"]) == 2


def test_a_click_that_changed_nothing_may_be_repeated(make: Make) -> None:
    """A correction that the network did not follow is a correction again."""
    desk = make(refine_reach=20)
    desk.ask(point(50, 50, "a"))
    beside = point(78, 50, "b")
    refined = desk.ask(beside)
    assert not mask_of(refined)[60, 124]  # else choose a place that the network does not follow
    again = desk.ask({**beside, "id": "again"})
    assert len(again["meta"]["edgeflow"]["clicks"]) == 3


DISKS = {"left": (20, 50), "middle": (50, 50), "right": (80, 50)}


def three_disks() -> str:
    image = np.full((*SIZE, 3), (30, 90, 40), dtype=np.uint8)
    rows, cols = np.mgrid[: SIZE.height, : SIZE.width]
    for x, y in DISKS.values():
        image[(rows - y * 1.2) ** 2 + (cols - x * 1.6) ** 2 < 15**2] = (230, 60, 50)
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG")
    return data_uri(buffer.getvalue())


def ask_quickly(desk: Desk, *points: JSONObject, after: float = 0.3) -> list[JSONObject]:
    desk.now += after
    body = disk_request(*points)
    task = {**body["tasks"][0], "data": {"image": three_disks()}}
    prompt = parse_prompt(body["params"]["context"], max_clicks=100)
    config = parse_label_config(body["label_config"]).for_task(task["data"])
    return desk.service.segment(Request(task, prompt, config)).regions


def test_quick_clicks_are_answered_one_region_an_object(make: Make) -> None:
    desk = make()
    disks = [point(*place, key) for key, place in DISKS.items()]
    alone = [ask_quickly(make(), disk)[0]["value"] for disk in disks]
    (first,) = ask_quickly(desk, disks[0])
    ask_quickly(desk, *disks[:2])
    regions = ask_quickly(desk, *disks)
    assert [region["value"] for region in regions] == alone
    assert [len(region["meta"]["edgeflow"]["clicks"]) for region in regions] == [1, 1, 1]
    assert regions[0]["id"] == first["id"]  # replaces it, if the editor took both
    (refined,) = ask_quickly(desk, point(50, 55, "n", positive=False))  # all accepted meanwhile
    assert refined["id"] == regions[1]["id"]
    assert len(refined["meta"]["edgeflow"]["clicks"]) == 2


def test_slow_clicks_are_answered_with_one_region(make: Make) -> None:
    desk = make()
    disks = [point(*place, key) for key, place in DISKS.items()]
    for count in (1, 2, 3):
        (region,) = ask_quickly(desk, *disks[:count], after=1.0)
        assert len(region["meta"]["edgeflow"]["clicks"]) == count
    more = point(50, 60, "more")
    (region,) = ask_quickly(desk, *disks, more)  # quick, but auto-accept was seen to be off
    assert len(region["meta"]["edgeflow"]["clicks"]) == 4


def two_taken_for_one(desk: Desk) -> tuple[list[JSONObject], JSONObject]:
    """The clicks on the three disks, and the one region that the first two got."""
    disks = [point(*place, key) for key, place in DISKS.items()]
    ask_quickly(desk, disks[0])
    (whole,) = ask_quickly(desk, *disks[:2])
    assert len(whole["meta"]["edgeflow"]["clicks"]) == 2
    return disks, whole


def test_two_quick_objects_that_were_taken_for_one_are_divided_once_auto_accept_shows(
    make: Make,
) -> None:
    desk = make()
    disks, whole = two_taken_for_one(desk)
    alone = [ask_quickly(make(), disk)[0]["value"] for disk in disks]
    third, first, second = ask_quickly(desk, disks[2])
    assert first["id"] == whole["id"]  # takes its place
    assert [region["value"] for region in (first, second, third)] == alone
    assert len(ask_quickly(desk, point(80, 55, "n", positive=False))) == 1  # and only once


def test_two_quick_objects_are_divided_though_a_stall_came_before_auto_accept_showed(
    make: Make,
) -> None:
    desk = make()
    disks, whole = two_taken_for_one(desk)
    alone = [ask_quickly(make(), disk)[0]["value"] for disk in disks]
    ask_quickly(desk, disks[2], after=2.0)  # might have been accepted by hand
    _, first, second = ask_quickly(desk, point(80, 55, "n", positive=False))
    assert first["id"] == whole["id"]
    assert [region["value"] for region in (first, second)] == alone[:2]


def test_an_object_that_was_refined_meanwhile_is_not_divided(make: Make) -> None:
    desk = make()
    disks, whole = two_taken_for_one(desk)
    (refined,) = ask_quickly(desk, point(50, 55, "n", positive=False), after=2.0)
    assert refined["id"] == whole["id"]
    assert len(ask_quickly(desk, disks[2])) == 1
