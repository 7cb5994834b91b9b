from __future__ import annotations

import math
from typing import Any

import pytest

from edgeflow.errors import EdgeFlowError, PromptError
from edgeflow.geometry import Size
from edgeflow.label_studio.values import JSONObject
from edgeflow_backend.errors import UnsupportedPromptError
from edgeflow_backend.protocol.prompts import ClickPrompt, OutlinePrompt, parse_prompt
from tests.contract.wire import captured, keypoint

SIZE = Size(100, 200)


def shape(kind: str, **value: Any) -> JSONObject:
    return {"type": kind, "id": "s", "from_name": "p", "to_name": "image", "value": value}


def rectangle(x: float, y: float, width: float, height: float, rotation: float = 0) -> JSONObject:
    return shape("rectanglelabels", x=x, y=y, width=width, height=height, rotation=rotation)


def test_clicks_come_before_shapes_and_the_newest_shape_counts() -> None:
    assert isinstance(
        parse_prompt({"result": [rectangle(1, 1, 5, 5), keypoint(5, 5)]}, max_clicks=9), ClickPrompt
    )
    first, second = rectangle(1, 1, 5, 5), {**rectangle(2, 2, 5, 5), "id": "newest"}
    prompt = parse_prompt({"result": [first, second]}, max_clicks=9)
    assert isinstance(prompt, OutlinePrompt)
    assert (prompt.newest.id, prompt.ids) == ("newest", ("newest",))


@pytest.mark.parametrize("context", [{"result": [{"type": "vectorlabels"}]}])
def test_other_kinds_are_not_supported(context: JSONObject) -> None:
    with pytest.raises(UnsupportedPromptError):
        parse_prompt(context, max_clicks=9)


@pytest.mark.parametrize("context", [None, {}, {"result": []}, {"result": None}, {"result": [5]}])
def test_a_request_without_any_prompt_is_a_typed_error(context: object) -> None:
    with pytest.raises(EdgeFlowError) as caught:
        parse_prompt(context, max_clicks=9)
    assert caught.value.hint


def test_a_smart_rectangle_as_label_studio_sends_it_is_understood() -> None:
    body = captured("ui_40_rect_057_predict.json")
    prompt = parse_prompt(body["params"]["context"], max_clicks=9)
    assert isinstance(prompt, OutlinePrompt)
    assert prompt.labels == ("Obj",)
    assert prompt.clicks(SIZE) == []


@pytest.mark.parametrize(
    "broken",
    [
        rectangle(math.nan, 1, 5, 5),
        rectangle(math.inf, 1, 5, 5),
        rectangle(1e9, 1, 5, 5),
        rectangle(1, 1, 5, 5, rotation=1e9),
        shape("rectanglelabels", x=1, y=1),
        shape("rectanglelabels", x="a", y=1, width=1, height=1),
        shape("polygonlabels", points=[[1, 1], [2, 2]]),
        shape("polygonlabels", points=[[1, 1, 1]] * 5),
        shape("polygonlabels", points=[[1, 1]] * 100_000),
        shape("brushlabels", format="rle", rle=[256]),
        shape("brushlabels", format="rle", rle="x"),
        shape("ellipselabels", x=1, y=1, radiusX=1),
        {"type": "rectanglelabels"},
        {**rectangle(1, 1, 5, 5), "value": None},
    ],
    ids=lambda broken: str(broken)[:60],
)
def test_a_broken_shape_is_refused_in_words(broken: JSONObject) -> None:
    with pytest.raises(PromptError) as caught:
        parse_prompt({"result": [broken]}, max_clicks=9)
    assert len(caught.value.message) < 500


def test_a_shape_that_is_drawn_anew_has_another_mark() -> None:
    before, after, again = (
        parse_prompt({"result": [rectangle(1, 1, width, 5)]}, max_clicks=9).marks
        for width in (5, 6, 5)
    )
    assert before.isdisjoint(after)
    assert again == before


def test_a_shape_without_an_id_has_no_marks() -> None:
    raw = {**rectangle(1, 1, 5, 5), "id": ""}
    assert parse_prompt({"result": [raw]}, max_clicks=9).marks == frozenset()


@pytest.mark.parametrize("kind", ["rectanglelabels", "brushlabels"])
def test_what_is_drawn_begins_an_object_and_stays_whole(kind: str) -> None:
    value = {"rle": [0]} if kind == "brushlabels" else {"x": 1, "y": 1, "width": 2, "height": 2}
    prompt = parse_prompt({"result": [shape(kind, **value)]}, max_clicks=9)
    assert prompt.first_click is None
    assert prompt.without(1) == prompt
