from __future__ import annotations

import json

import cv2
import numpy as np
import numpy.typing as npt
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from edgeflow.geometry import Size
from edgeflow.label_studio.brush_rle import decode_brush
from edgeflow.label_studio.config.controls import Control
from edgeflow.label_studio.config.holder import Holder
from edgeflow.label_studio.config.labels import Label
from edgeflow.label_studio.values import JSONObject
from edgeflow.masks.patch import MaskPatch, fit_mask
from edgeflow_backend.protocol.prompt import Prompt
from edgeflow_backend.protocol.prompts import parse_prompt
from edgeflow_backend.protocol.regions import mask_regions, region_id
from tests.contract.wire import captured, keypoint

MASKS = hnp.arrays(np.bool_, st.tuples(st.integers(1, 40), st.integers(1, 40)))
BRUSH = Control("mask", "BrushLabels", "image", (Label("Object"), Label("Other")), smart=False)


def prompt(*points: JSONObject) -> Prompt:
    return parse_prompt({"result": list(points or [keypoint(5, 5)])}, max_clicks=100)


def region_of(
    mask: npt.NDArray[np.bool_], *points: JSONObject, control: Control = BRUSH
) -> JSONObject:
    prompted = prompt(*points)
    holder = Holder(control, prompted.labels if control.labels else ())
    (region,) = mask_regions(MaskPatch.of(mask), 0.9, prompted.newest, holder, "ef01234567")
    return region


def mask_of(region: JSONObject) -> npt.NDArray[np.bool_]:
    size = Size(region["original_height"], region["original_width"])
    return decode_brush(region["value"]["rle"], size) > 0


# Ids


def id_of(task_id: object, prompted: Prompt) -> str:
    return region_id(task_id, prompted.newest.from_name, prompted.ids)


def test_the_same_request_always_gets_the_same_id() -> None:
    body = captured("ui_02_second_pos_027_predict.json")
    ids = {
        id_of(body["tasks"][0]["id"], prompt(*body["params"]["context"]["result"]))
        for _ in range(3)
    }
    assert len(ids) == 1


def test_ids_are_stable_between_releases() -> None:
    point = keypoint(5, 5)
    point["id"] = "first"
    assert id_of(7, prompt(point)) == "ef9874dfba"


def test_an_id_looks_like_one_of_label_studios_and_says_whose_it_is() -> None:
    name = id_of(7, prompt())
    assert len(name) == 10
    assert name.startswith("ef")
    assert name.isalnum()


def moved(point: JSONObject, x: float) -> JSONObject:
    return {**point, "value": {**point["value"], "x": x}}


def test_moving_a_point_keeps_the_id() -> None:
    first, second = keypoint(5, 5), keypoint(6, 6)
    assert id_of(1, prompt(first, second)) == id_of(1, prompt(moved(first, 90), second))


def test_changing_a_points_sign_keeps_the_id() -> None:
    assert id_of(1, prompt(keypoint(5, 5))) == id_of(1, prompt(keypoint(5, 5, positive=False)))


def test_every_prefix_of_the_clicks_has_an_id_of_its_own() -> None:
    points = [keypoint(number, 5) for number in range(20)]
    ids = {id_of(1, prompt(*points[:count])) for count in range(1, 21)}
    assert len(ids) == 20


def test_another_task_gets_another_id() -> None:
    assert id_of(1, prompt()) != id_of(2, prompt())
    assert id_of(None, prompt()) != id_of(1, prompt())


def test_another_control_gets_another_id() -> None:
    assert id_of(1, prompt()) != id_of(1, prompt(keypoint(5, 5, from_name="other")))


def test_other_clicks_get_another_id() -> None:
    assert id_of(1, prompt(keypoint(5, 5))) != id_of(1, prompt(keypoint(5, 5, key="z")))


def test_the_order_of_the_clicks_matters() -> None:
    first, second = keypoint(5, 5), keypoint(6, 6)
    assert id_of(1, prompt(first, second)) != id_of(1, prompt(second, first))


# Labels


def test_the_label_stands_under_the_regions_type() -> None:
    region = region_of(np.ones((2, 2), dtype=bool))
    assert region["type"] == "brushlabels"
    assert region["value"]["brushlabels"] == ["Object"]


def test_an_unlabelled_brush_gets_a_region_without_a_label() -> None:
    brush = Control("mask", "Brush", "image", (), smart=False)
    region = region_of(np.ones((2, 2), dtype=bool), control=brush)
    assert region["type"] == "brush"
    assert set(region["value"]) == {"format", "rle"}


# What is echoed


def test_the_regions_place_is_that_of_the_newest_click() -> None:
    mask = np.ones((3, 4), dtype=bool)
    old = keypoint(1, 1, image_rotation=0)
    region = region_of(mask, old, keypoint(2, 2, image_rotation=90))
    assert region["image_rotation"] == 90
    assert region["to_name"] == "image"
    assert region["from_name"] == "mask"
    assert (region["original_width"], region["original_height"]) == (4, 3)


@pytest.mark.parametrize("index", [0, 1, 7])
def test_the_item_is_echoed(index: int) -> None:
    assert (
        region_of(np.ones((1, 1), dtype=bool), keypoint(1, 1, item_index=index))["item_index"]
        == index
    )


def test_without_an_item_none_is_named() -> None:
    assert "item_index" not in region_of(np.ones((1, 1), dtype=bool))


def test_a_region_can_be_edited_and_has_a_score_and_an_id() -> None:
    region = region_of(np.ones((1, 1), dtype=bool))
    assert region["readonly"] is False
    assert region["score"] == 0.9
    assert region["id"] == "ef01234567"
    assert region["value"]["format"] == "rle"


# Masks


@settings(deadline=None)
@given(MASKS)
def test_the_code_decodes_to_the_mask(mask: npt.NDArray[np.bool_]) -> None:
    assert (mask_of(region_of(mask)) == mask).all()


@settings(deadline=None, max_examples=30)
@given(MASKS)
def test_a_region_is_plain_json(mask: npt.NDArray[np.bool_]) -> None:
    region = region_of(mask)
    assert all(type(value) is int for value in region["value"]["rle"])
    assert orjson.loads(orjson.dumps(region)) == json.loads(json.dumps(region)) == region


def test_a_mask_of_the_editors_size_is_left_alone() -> None:
    mask = np.zeros((3, 4), dtype=bool)
    assert fit_mask(mask, Size(3, 4)) is mask


@settings(deadline=None)
@given(MASKS, st.integers(1, 50), st.integers(1, 50))
def test_a_mask_is_resized_to_what_the_editor_sees(
    mask: npt.NDArray[np.bool_], height: int, width: int
) -> None:
    fitted = fit_mask(mask, Size(height, width))
    assert fitted.shape == (height, width)
    assert fitted.dtype == np.bool_
    if mask.all() or not mask.any():
        assert (fitted == mask.flat[0]).all()


def test_a_doubled_mask_keeps_its_shape() -> None:
    mask = np.zeros((20, 30), dtype=bool)
    mask[5:12, 7:20] = True
    doubled = fit_mask(mask, Size(40, 60))
    assert (doubled == np.kron(mask, np.ones((2, 2), dtype=bool))).all()


def test_a_shrunken_mask_stays_in_its_place() -> None:
    mask = np.zeros((400, 600), dtype=np.uint8)
    cv2.circle(mask, (450, 100), 60, 1, -1)
    small = fit_mask(mask.astype(bool), Size(100, 150))
    rows, cols = np.nonzero(small)
    assert (rows.mean(), cols.mean()) == pytest.approx((25, 112.5), abs=1)
