from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgeflow.geometry import Size
from edgeflow.label_studio.brush_rle import decode_brush, encode_brush
from edgeflow.label_studio.values import JSONObject
from edgeflow_backend.model import EdgeFlowBackend
from edgeflow_backend.objects.found_prompts import MAX_OBJECTS, prompts_in
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
    assert list(prompts_in(task(brush, box(1, 1, 5, 5, id="ef12345678")))) == []


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
    assert list(prompts_in({"id": 1, "data": {}, **held})) == []


def test_an_image_full_of_boxes_is_cut_off() -> None:
    many = [box(1, 1, 5, 5, id=str(number)) for number in range(3 * MAX_OBJECTS)]
    assert len(list(prompts_in(task(*many)))) == MAX_OBJECTS


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
