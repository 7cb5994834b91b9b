from __future__ import annotations

import pytest

from edgeflow.errors import PromptError
from edgeflow.label_studio.values import JSONObject
from edgeflow_backend.objects import spent_clicks
from edgeflow_backend.objects.task_regions import TaskRegions
from edgeflow_backend.protocol.prompt import Prompt
from edgeflow_backend.protocol.prompts import ClickPrompt, parse_prompt
from edgeflow_backend.protocol.regions import region_id
from tests.contract.wire import captured, keypoint


def prompt(*places: tuple[float, float]) -> ClickPrompt:
    points = [keypoint(x, y) for x, y in places]
    return clicks_of({"result": points})


def clicks_of(context: JSONObject) -> ClickPrompt:
    prompt = parse_prompt(context, max_clicks=100)
    assert isinstance(prompt, ClickPrompt)
    return prompt


def drop_spent(prompt: Prompt, task: JSONObject) -> Prompt:
    return spent_clicks.drop_spent(prompt, task["id"], TaskRegions.of(task, "annotations"))


def task(*accepted: ClickPrompt, kind: str = "drafts") -> JSONObject:
    result = [{"id": region_id(7, "click", p.ids), "value": {"rle": [0]}} for p in accepted]
    return {"id": 7, "data": {}, kind: [{"result": result}]}


A, B, C, D = (10.0, 10.0), (20.0, 20.0), (30.0, 30.0), (40.0, 40.0)


@pytest.mark.parametrize("kind", ["drafts", "annotations"])
def test_clicks_of_an_accepted_region_are_spent(kind: str) -> None:
    left = drop_spent(prompt(A, B, C), task(prompt(A, B), kind=kind))
    assert left == prompt(C)


def test_nothing_is_spent_while_nothing_is_accepted() -> None:
    assert drop_spent(prompt(A, B), task()) == prompt(A, B)
    assert drop_spent(prompt(A, B), {"id": 7, "data": {}}) == prompt(A, B)


def test_several_accepted_regions_are_spent_one_after_the_other() -> None:
    accepted = task(prompt(A, B), prompt(C))
    assert drop_spent(prompt(A, B, C, D), accepted) == prompt(D)


def test_the_longest_accepted_sequence_counts() -> None:
    accepted = task(prompt(A), prompt(A, B))
    assert drop_spent(prompt(A, B, C), accepted) == prompt(C)


def test_a_region_of_later_clicks_alone_spends_nothing_before_them() -> None:
    assert drop_spent(prompt(A, B, C), task(prompt(B))) == prompt(A, B, C)


def test_clicks_that_are_all_spent_are_answered_in_words() -> None:
    with pytest.raises(PromptError, match="accepted already"):
        drop_spent(prompt(A, B), task(prompt(A, B)))


def test_a_moved_point_is_spent_as_well_since_its_id_stays() -> None:
    moved = [{**keypoint(*A), "value": {**keypoint(*B)["value"]}}, keypoint(*C)]
    left = drop_spent(clicks_of({"result": moved}), task(prompt(A)))
    assert left == prompt(C)


@pytest.mark.parametrize(
    "drafts", [None, 3, "x", [None], [{}], [{"result": 3}], [{"result": [None, {"id": 4}]}]]
)
def test_drafts_of_another_form_are_passed_over(drafts: object) -> None:
    assert drop_spent(prompt(A), {"id": 7, "data": {}, "drafts": drafts}) == prompt(A)


def unsigned(place: tuple[float, float], **changes: object) -> JSONObject:
    point = {**keypoint(*place), **changes}
    del point["is_positive"]
    return point


def holding(*points: JSONObject, kind: str = "drafts") -> JSONObject:
    return {"id": 7, "data": {}, kind: [{"result": list(points)}]}


@pytest.mark.parametrize("kind", ["drafts", "annotations", "predictions"])
def test_points_whose_sign_is_forgotten_are_spent_beside_those_that_have_one(kind: str) -> None:
    old, new = [unsigned(A), unsigned(B)], [keypoint(*C), keypoint(*D, positive=False)]
    asked = clicks_of({"result": [*old, *new]})
    for stored in (holding(*old, kind=kind), holding(keypoint(*A), keypoint(*B), kind=kind)):
        assert drop_spent(asked, stored) == clicks_of({"result": new})


def test_a_stored_point_that_has_its_sign_is_not_spent() -> None:
    asked = prompt(A, B)
    assert drop_spent(asked, holding(keypoint(*A))) == asked
    assert drop_spent(asked, holding(keypoint(*A), keypoint(*B))) == asked


def test_a_sign_in_the_value_is_a_sign() -> None:
    value = {**keypoint(*B)["value"], "positive": False}
    asked = clicks_of({"result": [unsigned(A), unsigned(B, value=value)]})
    assert [p.positive for p in asked.points] == [True, False]
    left = drop_spent(asked, holding(unsigned(A)))
    assert left.ids == asked.ids[1:]


def test_a_client_without_signs_means_positive_clicks() -> None:
    asked = clicks_of({"result": [unsigned(A), unsigned(B)]})
    assert drop_spent(asked, holding()) == asked
    assert drop_spent(asked, holding(unsigned(A))) == asked


def test_nothing_but_old_points_is_answered_in_words() -> None:
    asked = clicks_of({"result": [unsigned(A), unsigned(B)]})
    with pytest.raises(PromptError, match="forgotten") as caught:
        drop_spent(asked, holding(unsigned(A), keypoint(*B, positive=False)))
    assert "delete" in caught.value.hint


def test_old_points_come_before_those_of_an_accepted_region() -> None:
    accepted = task(prompt(B))
    asked = clicks_of({"result": [unsigned(A), keypoint(*B), keypoint(*C)]})
    assert drop_spent(asked, accepted) == prompt(C)


@pytest.mark.parametrize(
    ("name", "first"), [("ui_132_after_042_predict.json", 1), ("ui_134_043_predict.json", 1)]
)
def test_captured_leaks_are_stopped(name: str, first: int) -> None:
    """The ✓ on the canvas accepted a region (p0041 there); its point came along afterwards."""
    body = captured(name)
    (asked,) = body["tasks"]
    sent = clicks_of(body["params"]["context"])
    region = next(r for r in asked["drafts"][0]["result"] if r["id"] == "p0041")
    region["id"] = region_id(asked["id"], sent.newest.from_name, sent.ids[:first])
    assert drop_spent(sent, asked).ids == sent.ids[first:]
