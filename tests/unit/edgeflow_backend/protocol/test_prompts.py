from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeflow.errors import PromptError
from edgeflow.geometry import Size
from edgeflow.label_studio.values import PERCENT_SLACK, PercentPoint
from edgeflow.prompts.click import check_clicks
from edgeflow_backend.errors import MalformedRequestError, NothingAskedError, UnsupportedPromptError
from edgeflow_backend.protocol.prompts import ClickPrompt, parse_prompt
from tests.contract.wire import BODIES, JSONObject, captured, keypoint

SIZE = Size(480, 640)

SIZES = st.builds(Size, st.integers(1, 20_000), st.integers(1, 20_000))

ON_THE_IMAGE = st.floats(-PERCENT_SLACK, 100 + PERCENT_SLACK)

INTERACTIVE = [
    path.name
    for path in sorted(BODIES.glob("*_predict*.json"))
    if captured(path.name)["params"]["context"] is not None
]

WITH_CLICKS = [name for name in INTERACTIVE if name != "ui_40_rect_057_predict.json"]


class Untouchable(Mapping[str, Any]):
    """Drafts as they must be treated."""

    def _touched(self, *_: object) -> Any:
        raise AssertionError("drafts and annotations must not be looked at")

    __getitem__ = __len__ = __iter__ = __contains__ = get = _touched


def parse(*regions: object, max_clicks: int = 100) -> ClickPrompt:
    return parsed({"result": list(regions)}, max_clicks)


def parsed(context: object, max_clicks: int = 100) -> ClickPrompt:
    prompt = parse_prompt(context, max_clicks=max_clicks)
    assert isinstance(prompt, ClickPrompt)
    return prompt


def changed(value: Mapping[str, object], **changes: object) -> JSONObject:
    """A keypoint whose ``value`` is changed."""
    point = {**keypoint(50, 50), **changes}
    point["value"].update(value)
    return point


@pytest.mark.parametrize("name", WITH_CLICKS)
def test_every_captured_context_gives_its_clicks_in_order(name: str) -> None:
    context = captured(name)["params"]["context"]
    prompt = parsed(context, 100)
    newest = context["result"][-1]
    sent = [p for p in context["result"] if p.get("item_index") == newest.get("item_index")]
    assert [point.id for point in prompt.points] == [point["id"] for point in sent]
    assert [point.positive for point in prompt.points] == [p["is_positive"] for p in sent]
    assert [(p.value.x, p.value.y) for p in prompt.points] == [
        (p["value"]["x"], p["value"]["y"]) for p in sent
    ]


def test_the_captured_unlabelled_keypoint_has_no_label() -> None:
    context = captured("ui_81_keypoint_nolabels_033_predict.json")["params"]["context"]
    assert parsed(context, 100).labels == ()


def test_the_captured_alt_click_is_negative() -> None:
    context = captured("ui_03_alt_neg_028_predict.json")["params"]["context"]
    assert [p.positive for p in parsed(context, 9).points][-1] is False


@pytest.mark.parametrize(
    ("is_positive", "value_positive", "expected"),
    [
        (True, None, True),
        (False, None, False),
        (None, None, True),
        (None, True, True),
        (None, False, False),
        (True, False, True),
        (False, True, False),
    ],
)
def test_a_click_is_negative_only_where_the_request_says_so(
    is_positive: bool | None, value_positive: bool | None, *, expected: bool
) -> None:
    point = changed({"positive": value_positive}, is_positive=is_positive)
    assert parse(point).newest.positive is expected


def test_a_click_without_the_flag_is_positive() -> None:
    point = keypoint(50, 50)
    del point["is_positive"]
    assert parse(point).newest.positive


def test_only_negative_clicks_leave_no_object() -> None:
    prompt = parse(keypoint(10, 10, positive=False), keypoint(20, 20, positive=False))
    with pytest.raises(PromptError, match="negative") as caught:
        prompt.clicks(SIZE)
    assert "Alt" in caught.value.hint


def test_a_leading_negative_click_is_kept_in_its_place() -> None:
    prompt = parse(keypoint(10, 10, positive=False), keypoint(20, 20))
    assert [click.positive for click in prompt.clicks(SIZE)] == [False, True]


@pytest.mark.parametrize(
    ("value", "label"),
    [
        ({"labels": ["A"], "keypointlabels": ["A"]}, "A"),
        ({"labels": ["A"], "keypointlabels": []}, "A"),
        ({"labels": [], "keypointlabels": ["B", "C"]}, "B"),
        ({"labels": [], "keypointlabels": []}, None),
    ],
)
def test_the_label_is_the_first_one_that_the_keypoint_has(
    value: JSONObject, label: str | None
) -> None:
    assert parse(changed(value)).labels[:1] == ((label,) if label else ())


def test_a_keypoint_of_a_control_without_labels_is_a_click() -> None:
    point = keypoint(50, 50, type="keypoint")
    point["value"] = {"x": 50, "y": 50, "width": 0.3, "labels": []}
    assert parse(point).labels == ()


def test_points_of_other_images_of_the_task_are_dropped() -> None:
    points = [
        keypoint(1, 1, item_index=0),
        keypoint(2, 2, item_index=1),
        keypoint(3, 3, item_index=0),
        keypoint(4, 4, item_index=1),
    ]
    prompt = parse(*points)
    assert [point.value.x for point in prompt.points] == [2, 4]
    assert prompt.newest.item_index == 1


def test_a_point_without_an_item_is_not_of_the_first_item() -> None:
    prompt = parse(keypoint(1, 1), keypoint(2, 2, item_index=0))
    assert [point.value.x for point in prompt.points] == [2]


def test_points_of_other_controls_are_dropped() -> None:
    prompt = parse(
        keypoint(1, 1, from_name="other"), keypoint(2, 2), keypoint(3, 3, to_name="image2"),
        keypoint(4, 4),
    )  # fmt: skip
    assert [point.value.x for point in prompt.points] == [2, 4]


def test_regions_that_are_no_clicks_are_dropped_beside_clicks() -> None:
    rectangle = {"type": "rectanglelabels", "value": {}}
    brush = {"type": "brushlabels", "value": {"rle": ["not", "looked", "at"]}}
    assert len(parse(rectangle, keypoint(1, 1), brush).points) == 1


def test_unknown_fields_do_no_harm() -> None:
    point = changed({"width": "wide", "new": 1}, origin=5, score=None, meta={"text": []})
    assert parse(point).newest.value.x == 50


def test_as_many_clicks_as_allowed_are_taken() -> None:
    assert len(parse(*[keypoint(5, 5)] * 10, max_clicks=10).points) == 10


def test_too_many_clicks_are_refused_with_the_setting_that_allows_more() -> None:
    with pytest.raises(PromptError, match="11 clicks") as caught:
        parse(*[keypoint(5, 5)] * 11, max_clicks=10)
    assert "EDGEFLOW_MAX_CLICKS" in caught.value.hint


@pytest.mark.parametrize("context", [{"result": []}, {}, {"result": [], "drafts": Untouchable()}])
def test_no_clicks_ask_for_nothing(context: JSONObject) -> None:
    with pytest.raises(NothingAskedError, match="no clicks"):
        parsed(context, 10)


@pytest.mark.parametrize(
    "kind", ["bitmasklabels", "vectorlabels", "vector", "choices", "labels", "x"]
)
def test_prompts_of_another_kind_are_named(kind: str) -> None:
    with pytest.raises(UnsupportedPromptError, match=kind):
        parse({"type": kind, "value": {"x": 1, "y": 1, "width": 5, "height": 5}})


SECRET = "sEcReT-vAlUe"


@pytest.mark.parametrize(
    "value",
    [math.nan, math.inf, -math.inf, SECRET, None, [SECRET], {SECRET: 1}],
    ids=["nan", "inf", "-inf", "text", "null", "list", "object"],
)
@pytest.mark.parametrize("axis", ["x", "y"])
def test_a_coordinate_that_is_no_finite_number_is_refused_by_its_place(
    axis: str, value: object
) -> None:
    with pytest.raises(PromptError) as caught:
        parse(keypoint(1, 1), changed({axis: value}))
    assert f"1.value.{axis}" in caught.value.message
    assert SECRET not in caught.value.message + caught.value.hint


@pytest.mark.parametrize("axis", ["x", "y"])
def test_a_missing_coordinate_is_refused_by_its_place(axis: str) -> None:
    point = keypoint(50, 50)
    del point["value"][axis]
    with pytest.raises(PromptError, match=f"value.{axis}"):
        parse(point)


@pytest.mark.parametrize(
    "changes",
    [
        {"value": None},
        {"value": SECRET},
        {"from_name": SECRET * 100},
        {"id": [SECRET]},
        {"id": SECRET * 100},
        {"is_positive": SECRET},
        {"item_index": -1},
        {"item_index": 1.5},
        {"item_index": True},
        {"item_index": math.nan},
        {"item_index": SECRET},
    ],
    ids=str,
)
def test_a_malformed_field_is_refused_by_its_name_and_without_its_value(
    changes: JSONObject,
) -> None:
    with pytest.raises(PromptError) as caught:
        parse({**keypoint(50, 50), **changes})
    (name,) = changes
    assert name in caught.value.message
    assert SECRET not in caught.value.message + caught.value.hint


@pytest.mark.parametrize(
    "context",
    [[], "text", 5, True, {"result": None}, {"result": {}}, {"result": "text"}],
    ids=str,
)
def test_a_context_of_another_form_is_refused(context: object) -> None:
    with pytest.raises(MalformedRequestError, match="context"):
        parsed(context, 10)


@pytest.mark.parametrize("region", [None, 5, "text", [], {}, {"type": None}, {"type": 5}], ids=str)
def test_an_entry_that_is_no_region_is_refused(region: object) -> None:
    with pytest.raises(MalformedRequestError, match="type"):
        parse(keypoint(50, 50), region)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=12,
)

FIELDS = st.sampled_from(sorted(keypoint(1, 1)))


@settings(deadline=None)
@given(JSON)
def test_any_json_is_a_prompt_or_a_typed_error(context: object) -> None:
    with contextlib.suppress(MalformedRequestError, UnsupportedPromptError, PromptError):
        assert parsed(context, 10).points


@pytest.mark.slow
@settings(deadline=None)
@given(st.dictionaries(FIELDS, JSON, max_size=3))
def test_any_json_in_a_keypoints_fields_is_a_prompt_or_a_typed_error(changes: JSONObject) -> None:
    with contextlib.suppress(MalformedRequestError, UnsupportedPromptError, PromptError):
        assert parse({**keypoint(50, 50), **changes}).clicks(SIZE)


def test_messages_stay_short_whatever_the_request_holds() -> None:
    kinds = [{"type": f"kind {number} {'x' * 1000}"} for number in range(2000)]
    with pytest.raises(UnsupportedPromptError) as caught:
        parse(*kinds)
    assert len(caught.value.message) < 1000


@settings(deadline=None)
@given(st.lists(st.tuples(ON_THE_IMAGE, ON_THE_IMAGE), min_size=1, max_size=8), SIZES)
def test_clicks_of_a_prompt_are_accepted_by_the_predictor_in_their_order(
    places: list[tuple[float, float]], size: Size
) -> None:
    prompt = parse(*[keypoint(x, y) for x, y in places])
    clicks = prompt.clicks(size)
    check_clicks(clicks, size)
    assert [click.point for click in clicks] == [PercentPoint(*p).to_image(size) for p in places]


def test_one_click_off_the_image_refuses_the_prompt() -> None:
    with pytest.raises(PromptError, match="120 %"):
        parse(keypoint(50, 50), keypoint(120, 50)).clicks(SIZE)


def test_captured_bodies_are_here() -> None:
    assert len(INTERACTIVE) > 35


@pytest.mark.parametrize("name", WITH_CLICKS[:3])
def test_parsing_leaves_the_request_as_it_is(name: str) -> None:
    context = captured(name)["params"]["context"]
    before = json.dumps(context)
    parsed(context, 10)
    assert json.dumps(context) == before


# Marks


def marked(key: str, x: float = 50, *, positive: bool = True) -> JSONObject:
    return {**keypoint(x, 50, positive=positive), "id": key}


def test_marks_grow_with_each_click() -> None:
    one, two = parse(marked("a")).marks, parse(marked("a"), marked("b")).marks
    assert one < two
    assert len(two) == 2


def test_a_point_that_was_moved_or_turned_has_another_mark() -> None:
    before = parse(marked("a")).marks
    assert parse(marked("a", x=51)).marks.isdisjoint(before)
    assert parse(marked("a", positive=False)).marks.isdisjoint(before)
    assert parse(marked("a")).marks == before


def test_clicks_without_ids_have_no_marks() -> None:
    assert parse(marked("")).marks == frozenset()
    assert parse(marked("a"), marked("")).marks == frozenset()
