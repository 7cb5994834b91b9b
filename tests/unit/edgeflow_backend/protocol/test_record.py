from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeflow.errors import PromptError
from edgeflow.geometry import ImagePoint, Size
from edgeflow.label_studio.values import JSONObject, PercentPoint
from edgeflow.prompts.click import Click
from edgeflow_backend.protocol.record import RegionRecord, read_record, record_click, replay_click

PERCENT = st.floats(0, 100)
SIDE = st.integers(1, 8000)


def record(**changes: Any) -> RegionRecord:
    told = {"object": "ef1", "model": "m", "box": (1, 2, 3, 4), "digest": "d", **changes}
    return RegionRecord.model_validate(told)


def through_label_studio(told: RegionRecord) -> RegionRecord | None:
    region: JSONObject = orjson.loads(orjson.dumps({"meta": told.meta()}))
    return read_record(region)


def test_a_record_survives_json() -> None:
    told = record(clicks=(("a", 1.25, 2.5, True), ("b", 99.9, 0.1, False)), from_mask=True)
    assert through_label_studio(told) == told


def test_a_record_of_an_outline_survives_json() -> None:
    shape = {
        "type": "rectanglelabels", "id": "box", "from_name": "b", "to_name": "image",
        "value": {"x": 1.5, "y": 2, "width": 3, "height": 4, "rectanglelabels": ["Object"]},
    }  # fmt: skip
    told = record(outline=shape)
    assert through_label_studio(told) == told
    assert told.ids == {"box"}


@given(PERCENT, PERCENT, SIDE, SIDE)
def test_a_click_is_replayed_where_it_was(x: float, y: float, height: int, width: int) -> None:
    size = Size(height, width)
    made = Click(PercentPoint(x, y).to_image(size))
    again = replay_click(record_click("k", made, size), size)
    assert again.point.x == pytest.approx(made.point.x, abs=1e-9)
    assert again.point.y == pytest.approx(made.point.y, abs=1e-9)


@given(st.floats(0, 100), st.floats(0, 100))
def test_a_record_that_was_stored_replays_bit_for_bit(x: float, y: float) -> None:
    """What is written is what is read: drafts of drafts do not drift."""
    size = Size(480, 640)
    once = record_click("k", Click(PercentPoint(x, y).to_image(size)), size)
    twice = record_click("k", replay_click(once, size), size)
    thrice = record_click("k", replay_click(twice, size), size)
    assert thrice == pytest.approx(twice)


def test_a_click_off_the_image_is_told() -> None:
    with pytest.raises(PromptError):
        replay_click(("k", 100.9, 50.0, True), Size(10, 10))


@pytest.mark.parametrize(
    "region",
    [
        {},
        {"meta": None},
        {"meta": {"text": ["a note"]}},
        {"meta": {"edgeflow": None}},
        {"meta": {"edgeflow": {"v": 2, "object": "o", "model": "m", "box": [1, 2, 3, 4]}}},
        {"meta": {"edgeflow": {"model": "m"}}},
        {"meta": {"edgeflow": record().meta()["edgeflow"] | {"clicks": [["a", 1e9, 1, True]]}}},
        {"meta": {"edgeflow": record().meta()["edgeflow"] | {"clicks": [["a", 1]]}}},
        {"meta": {"edgeflow": record().meta()["edgeflow"] | {"box": [1, 2]}}},
        {"meta": {"edgeflow": record().meta()["edgeflow"] | {"object": "x" * 1000}}},
        {"meta": {"edgeflow": record().meta()["edgeflow"] | {"outline": {"type": "brush"}}}},
    ],
    ids=lambda region: str(region)[:70],
)
def test_what_is_no_record_of_ours_is_none(region: JSONObject) -> None:
    assert read_record(region) is None


def test_other_keys_are_left_for_newer_releases() -> None:
    meta = record().meta()
    meta["edgeflow"]["later"] = 1
    assert read_record({"meta": meta}) == record()


def test_points_are_image_points() -> None:
    assert replay_click(("k", 50.0, 50.0, False), Size(10, 20)) == Click(
        ImagePoint(9.5, 4.5), False
    )
