from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgeflow.geometry import Size
from edgeflow.label_studio.brush_rle import decode_brush, encode_brush
from edgeflow.label_studio.config.label_config import TaskConfig, parse_label_config
from edgeflow.label_studio.values import JSONObject
from edgeflow_backend.model import EdgeFlowBackend
from edgeflow_backend.objects import found_prompts
from edgeflow_backend.objects.found_prompts import MAX_OBJECTS
from edgeflow_backend.protocol.config_check import RECOMMENDED
from edgeflow_backend.protocol.prompt import Prompt
from edgeflow_backend.protocol.prompts import ClickPrompt, OutlinePrompt
from tests.contract.wire import keypoint
from tests.unit.conftest import MakeService
from tests.unit.edgeflow_backend.samples import disk, disk_request

SIZE = Size(120, 160)


def box(x: float, y: float, width: float, height: float, **changes: object) -> JSONObject:
    value = {"x": x, "y": y, "width": width, "height": height, "rotation": 0}
    return {
        "id": "box",
        "type": "rectanglelabels",
        "from_name": "detector",
        "to_name": "image",
        "original_width": SIZE.width,
        "original_height": SIZE.height,
        "value": {**value, "rectanglelabels": ["Object"]},
        **changes,
    }


def task(*result: JSONObject, kind: str = "predictions", **changes: object) -> JSONObject:
    asked: JSONObject = disk_request()["tasks"][0]
    return {**asked, kind: [{"result": list(result)}], **changes}


AROUND_THE_DISK = box(*(100 * np.array([0.1, 0.1, 0.8, 0.8])).tolist())


def config(xml: str = RECOMMENDED) -> TaskConfig:
    return parse_label_config(xml).for_task(None)


def prompts_in(held: JSONObject) -> list[Prompt]:
    return found_prompts.prompts_in(held, config()).prompts


def answer(make_service: MakeService, *tasks: JSONObject, preannotate: bool = True) -> list[Any]:
    backend = EdgeFlowBackend(service=make_service(preannotate=preannotate))
    return backend.predict(list(tasks), None, label_config=disk_request()["label_config"])


# What a task says


def test_boxes_and_positive_points_of_the_newest_prediction_are_prompts() -> None:
    asked = task(box(1, 1, 5, 5), keypoint(3, 3), keypoint(4, 4, positive=False))
    kinds = [type(prompt) for prompt in prompts_in(asked)]
    assert kinds == [OutlinePrompt, ClickPrompt]


def test_annotations_come_before_predictions_and_newer_before_older() -> None:
    asked = task(box(1, 1, 5, 5, id="predicted"))
    asked["annotations"] = [
        {"result": [box(1, 1, 5, 5, id="old")]},
        {"result": [box(1, 1, 5, 5, id="new")]},
    ]
    assert [prompt.newest.id for prompt in prompts_in(asked)] == ["new"]


def test_a_holder_without_anything_to_go_by_is_passed_over() -> None:
    asked = task(box(1, 1, 5, 5, id="predicted"))
    asked["annotations"] = [{"result": []}, {"result": [{"type": "choices", "value": {}}]}]
    assert [prompt.newest.id for prompt in prompts_in(asked)] == ["predicted"]


def test_masks_and_regions_of_this_backend_are_left_alone() -> None:
    brush = {**box(1, 1, 5, 5), "type": "brushlabels", "value": {"format": "rle", "rle": [0]}}
    assert prompts_in(task(brush, box(1, 1, 5, 5, id="ef12345678"))) == []


@pytest.mark.parametrize(
    "held",
    [
        {},
        {"predictions": None},
        {"predictions": "x"},
        {"predictions": [None, {"result": None}, {"result": ["x", None, 5]}]},
        {"predictions": [{"result": [{"type": "rectanglelabels", "value": {"x": "nan"}}]}]},
        {"predictions": [{"result": [{"type": "keypointlabels"}, {"type": None}]}]},
    ],
    ids=repr,
)
def test_whatever_else_a_task_holds_is_no_prompt_and_no_error(held: JSONObject) -> None:
    assert prompts_in({"id": 1, "data": {}, **held}) == []


def test_an_image_full_of_boxes_is_cut_off() -> None:
    many = [box(1, 1, 5, 5, id=str(number)) for number in range(3 * MAX_OBJECTS)]
    assert len(prompts_in(task(*many))) == MAX_OBJECTS


@pytest.mark.parametrize(
    ("kind", "smart", "unsigned"),
    [("annotations", True, 1), ("annotations", False, 0), ("predictions", True, 0)],
    ids=["clicked", "plain tool", "predicted"],
)
def test_a_point_whose_sign_was_forgotten_is_not_guessed_at(
    kind: str, smart: bool, unsigned: int
) -> None:
    plain = RECOMMENDED.replace('smart="true" smartOnly="true"', 'smart="false"')
    point = keypoint(3, 3)
    del point["is_positive"]
    held = task(box(1, 1, 5, 5), point, kind=kind)
    found = found_prompts.prompts_in(held, config(RECOMMENDED if smart else plain))
    assert (len(found.prompts), found.unsigned) == (2 - unsigned, unsigned)


def test_a_point_of_a_control_that_is_gone_may_have_been_a_click() -> None:
    point = keypoint(3, 3, from_name="gone")
    del point["is_positive"]
    found = found_prompts.prompts_in(task(point, kind="annotations"), config())
    assert found == ([], 1)


def test_points_that_were_left_out_are_told(make_service: MakeService) -> None:
    service = make_service(preannotate=True)
    point = keypoint(3, 3)
    del point["is_positive"]
    asked = [task(point, point, kind="annotations")]
    xml = disk_request()["label_config"]
    assert EdgeFlowBackend(service=service).predict(asked, None, label_config=xml) == [[]]
    (call,) = service.journal.calls.recent()
    assert "2 points do not say whether a positive or a negative click was meant" in call.message
    assert "click in the editor" in call.hint


# What is answered


def test_a_box_becomes_a_mask_inside_it(make_service: MakeService) -> None:
    ((prediction,),) = answer(make_service, task(AROUND_THE_DISK))
    (region,) = prediction["result"]
    mask = decode_brush(region["value"]["rle"], SIZE) > 0
    truth = disk(SIZE)
    assert (mask & truth).sum() / (mask | truth).sum() > 0.8
    assert region["value"]["brushlabels"] == ["Object"]
    assert 0 < prediction["score"] <= 1


def test_each_task_gets_its_own_list_and_empty_ones_store_nothing(
    make_service: MakeService,
) -> None:
    found = answer(make_service, task(), task(AROUND_THE_DISK), task())
    assert [len(predictions) for predictions in found] == [0, 1, 0]


def test_without_anything_to_go_by_nothing_is_answered(make_service: MakeService) -> None:
    assert answer(make_service, task(), task()) == [[], []]


def test_it_is_off_by_default(make_service: MakeService) -> None:
    assert answer(make_service, task(AROUND_THE_DISK), preannotate=False) == [[]]


def test_a_box_that_cannot_be_answered_does_not_keep_the_others_back(
    make_service: MakeService,
) -> None:
    stranger = box(1, 1, 5, 5, id="stranger")
    stranger["value"]["rectanglelabels"] = ["Zebra"]
    ((prediction,),) = answer(make_service, task(stranger, AROUND_THE_DISK))
    assert len(prediction["result"]) == 1


def test_a_mask_that_is_there_already_is_not_answered(make_service: MakeService) -> None:
    value = {"format": "rle", "rle": list(encode_brush(disk(SIZE))), "brushlabels": ["Object"]}
    brush = {**AROUND_THE_DISK, "type": "brushlabels", "value": value}
    assert answer(make_service, task(brush)) == [[]]


def test_a_skipped_annotation_says_nothing() -> None:
    asked = task(box(1, 1, 5, 5, id="predicted"))
    asked["annotations"] = [{"result": [box(1, 1, 5, 5, id="skipped")], "was_cancelled": True}]
    assert [prompt.ids for prompt in prompts_in(asked)] == [("predicted",)]
