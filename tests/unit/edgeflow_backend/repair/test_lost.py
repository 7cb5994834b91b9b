"""Bodies are what Label Studio 1.23.2 sent when somebody submitted without accepting."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from edgeflow.label_studio.config.label_config import parse_label_config
from edgeflow_backend.protocol.prompts import ClickPrompt, OutlinePrompt
from edgeflow_backend.repair.lost import NO_SIGN, LeftOut, Lost, find_lost
from tests.contract.wire import JSONObject, captured, keypoint

TASK = 7
AGAIN = "open the task and click again"
LABEL = '<Label value="Object"/>'
CONFIG = f"""<View>
  <KeyPointLabels name="click" toName="image" smart="true" smartOnly="true">{LABEL}</KeyPointLabels>
  <Image name="image" value="$image"/>
  <BrushLabels name="mask" toName="image" smart="false">{LABEL}</BrushLabels>
</View>"""
BOXES = CONFIG.replace(
    "<Image",
    '<RectangleLabels name="box" toName="image" smart="true" smartOnly="true">'
    f"{LABEL}</RectangleLabels><Image",
)


def lost_in(body: JSONObject) -> Lost:
    """The lost prompts in an event."""
    config = parse_label_config(body["project"]["label_config"]).for_task(body["task"]["data"])
    annotation = body["annotation"]
    return find_lost(annotation["result"], config, annotation["task"], max_clicks=100)


def find(*result: Any, config: str = BOXES, max_clicks: int = 100) -> Lost:
    task = parse_label_config(config).for_task({})
    return find_lost(list(result), task, TASK, max_clicks=max_clicks)


def smart_rectangle(key: str, **changes: object) -> JSONObject:
    value = {"x": 10, "y": 10, "width": 30, "height": 30, "rectanglelabels": ["Object"]}
    region = {"id": key, "type": "rectanglelabels", "from_name": "box", "to_name": "image"}
    return {**region, "value": value, **changes}


def signs(lost: Lost) -> list[list[bool]]:
    """The signs of each prompt of clicks."""
    return [[p.positive for p in each.points] for each in lost.prompts if type(each) is ClickPrompt]


# What Label Studio stores


def test_examples_of_a_search_are_no_loss() -> None:
    boxed = BOXES.replace('name="box"', 'name="box" edgeflowFind="similar"')
    assert find(smart_rectangle("r"))
    assert not find(smart_rectangle("r"), config=boxed)
    clicked = CONFIG.replace('name="click"', 'name="click" edgeflowFind="similar"')
    assert not find(keypoint(40, 50), config=clicked)


def test_clicks_that_were_not_accepted_are_one_prompt_with_their_signs() -> None:
    lost = lost_in(captured("submitted_three_clicks_webhook.json"))
    assert signs(lost) == [[True, True, False]]
    assert lost.left_out == ()


@pytest.mark.parametrize(
    "name",
    ["submitted_with_points_left_by_the_tick_webhook.json", "submitted_beside_a_mask_webhook.json"],
)
def test_a_mask_that_was_accepted_is_not_lost(name: str) -> None:
    lost = lost_in(captured(name))
    assert signs(lost) == [[True]]
    accepted = captured(name)["annotation"]["result"]
    accepted = [region for region in accepted if region["type"] == "brushlabels"]
    (clicks,) = [region["meta"]["edgeflow"]["clicks"] for region in accepted]
    assert lost.prompts[0].ids[0] not in [click[0] for click in clicks]


def test_a_sign_that_a_reload_took_is_not_guessed() -> None:
    lost = lost_in(captured("submitted_after_a_reload_webhook.json"))
    assert lost == Lost((), (LeftOut(2, NO_SIGN, AGAIN),))
    reopened = lost_in(captured("updated_after_reopening_webhook.json"))
    assert signs(reopened) == [[True]]
    assert reopened.left_out == (LeftOut(1, NO_SIGN, AGAIN),)


def test_a_smart_rectangle_is_a_prompt() -> None:
    (prompt,) = lost_in(captured("submitted_smart_rectangle_webhook.json")).prompts
    assert isinstance(prompt, OutlinePrompt)


def test_points_of_unlabelled_controls_are_prompts_by_label() -> None:
    assert signs(lost_in(captured("submitted_unlabelled_points_webhook.json"))) == [[True, False]]
    lost = lost_in(captured("submitted_points_of_a_labels_tag_webhook.json"))
    assert [prompt.labels for prompt in lost.prompts] == [("Dog",), ("Cat",)]


def test_an_ordinary_keypoint_is_none() -> None:
    body = captured("submitted_smart_and_plain_point_webhook.json")
    lost = lost_in(body)
    assert [prompt.ids for prompt in lost.prompts] == [(body["annotation"]["result"][0]["id"],)]
    assert lost.left_out == ()


# Variants


def test_nothing_is_lost_where_nothing_was_asked() -> None:
    plain = CONFIG.replace('smart="true" smartOnly="true"', 'smart="false"')
    hand_drawn = smart_rectangle("r", from_name="mask")
    boxes = plain.replace("BrushLabels", "RectangleLabels")
    unsigned = keypoint(5, 5)
    del unsigned["is_positive"]
    assert not find(unsigned, config=plain)
    assert not find(hand_drawn, config=boxes)
    assert not find(config=plain)


def test_labels_controls_images_and_items_are_prompts_of_their_own() -> None:
    points = [
        keypoint(1, 1),
        keypoint(2, 2, item_index=1),
        keypoint(3, 3, value={"x": 3, "y": 3, "keypointlabels": ["Other"]}),
        keypoint(4, 4, to_name="other"),
        keypoint(5, 5, positive=False),
    ]
    assert signs(find(*points)) == [[True, False], [True], [True], [True]]


def test_each_smart_rectangle_is_a_prompt_in_the_order_of_all() -> None:
    found = find(smart_rectangle("a"), keypoint(5, 5), smart_rectangle("b"))
    assert [prompt.ids[0] for prompt in found.prompts] == ["a", "k-5-5", "b"]


def test_labels_that_stand_in_a_result_of_their_own_are_read() -> None:
    config = BOXES.replace("RectangleLabels", "Rectangle")
    box = smart_rectangle("a", type="rectangle", value={"x": 1, "y": 1, "width": 9, "height": 9})
    labels = {"id": "a", "type": "labels", "from_name": "l", "value": {"labels": ["Object"]}}
    (prompt,) = find(box, labels, config=config).prompts
    assert prompt.labels == ("Object",)


def test_a_click_that_refined_a_mask_is_spent_by_its_record() -> None:
    body = captured("submitted_with_points_left_by_the_tick_webhook.json")
    left, mask, lost = body["annotation"]["result"]
    mask["meta"]["edgeflow"]["clicks"].append([lost["id"], 45.0, 60.0, True])
    assert mask["meta"]["edgeflow"]["clicks"][0][0] == left["id"]
    assert not lost_in(body)


def test_masks_without_their_record_tell_their_first_clicks_by_their_id() -> None:
    body = copy.deepcopy(captured("submitted_with_points_left_by_the_tick_webhook.json"))
    for region in body["annotation"]["result"]:
        region.pop("meta", None)
    assert signs(lost_in(body)) == [[True]]


def test_the_editors_own_ids_may_look_like_those_of_answers() -> None:
    """One in four thousand begins like them."""
    assert signs(find({**keypoint(5, 5), "id": "efQ65JvnQi"})) == [[True]]
    assert len(find(smart_rectangle("efQ65JvnQi")).prompts) == 1


def test_an_answer_in_a_control_for_prompts_is_none() -> None:
    body = captured("submitted_beside_a_mask_webhook.json")
    (record,) = [r["meta"] for r in body["annotation"]["result"] if "meta" in r]
    assert not find(smart_rectangle("ef12345678", meta=record))


def test_what_cannot_be_a_prompt_is_left_out_with_the_reason() -> None:
    many = [keypoint(x, 1) for x in range(4)]
    (left_out,) = find(*many, max_clicks=3).left_out
    assert left_out.count == 4
    assert "the limit is 3" in left_out.reason
    (left_out,) = find(keypoint(1, 1, value={"x": "nowhere"})).left_out
    assert "cannot be read" in left_out.reason


@pytest.mark.parametrize(
    "result",
    [
        None,
        "text",
        {},
        [None, 1, "x", []],
        [{}, {"type": None}, {"id": None, "type": "keypointlabels", "is_positive": True}],
        [{"id": "a", "type": "rectanglelabels", "from_name": "box", "value": None}],
        [{"id": "a", "type": "keypointlabels", "is_positive": True, "value": ["x"]}],
        [{"id": "a", "type": "labels", "value": "x"}, {"id": "a", "type": ["x"], "value": {}}],
        [{"id": "a", "type": "keypointlabels", "from_name": [1], "value": {"labels": {"b": 1}}}],
        [{"id": "efa", "meta": {"edgeflow": "x"}}, {"id": "efb", "meta": {"edgeflow": {"v": 1}}}],
        [{"id": {"a": 1}, "type": "brushlabels", "meta": {"edgeflow": []}}],
    ],
    ids=repr,
)
def test_no_result_breaks_it(result: object) -> None:
    config = parse_label_config(BOXES).for_task({})
    assert find_lost(result, config, TASK, max_clicks=100).prompts == ()
