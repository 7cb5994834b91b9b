from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeflow.errors import EdgeFlowError, PromptError
from edgeflow.geometry import Box, Size
from edgeflow.label_studio.brush_rle import encode_brush
from edgeflow.label_studio.values import JSONObject
from edgeflow_backend.errors import MalformedRequestError, UnsupportedPromptError
from edgeflow_backend.protocol.outlines import STROKE_CLICKS, outline, stroke_clicks
from edgeflow_backend.protocol.prompts import ClickPrompt, ShapePrompt, parse_prompt
from edgeflow_backend.protocol.wire import Brush, parse_shape
from tests.contract.wire import captured, keypoint

SIZE = Size(100, 200)


def shape(kind: str, **value: Any) -> JSONObject:
    return {"type": kind, "id": "s", "from_name": "p", "to_name": "image", "value": value}


def rectangle(x: float, y: float, width: float, height: float, rotation: float = 0) -> JSONObject:
    return shape("rectanglelabels", x=x, y=y, width=width, height=height, rotation=rotation)


def stroke(mask: np.ndarray[Any, np.dtype[np.bool_]], **changes: Any) -> Brush:
    raw = shape("brushlabels", format="rle", rle=list(encode_brush(mask)))
    size = {"original_width": mask.shape[1], "original_height": mask.shape[0]}
    parsed = parse_shape({**raw, **size, **changes})
    assert isinstance(parsed, Brush)
    return parsed


def drawn(raw: JSONObject, size: Size = SIZE) -> Any:
    parsed = parse_shape(raw)
    assert not isinstance(parsed, Brush)
    return outline(parsed, size)


# Which prompt a request holds


def test_clicks_come_before_shapes_and_the_newest_shape_counts() -> None:
    assert isinstance(
        parse_prompt({"result": [rectangle(1, 1, 5, 5), keypoint(5, 5)]}, max_clicks=9), ClickPrompt
    )
    first, second = rectangle(1, 1, 5, 5), {**rectangle(2, 2, 5, 5), "id": "newest"}
    prompt = parse_prompt({"result": [first, second]}, max_clicks=9)
    assert isinstance(prompt, ShapePrompt)
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
    assert isinstance(prompt, ShapePrompt)
    assert prompt.newest.value.label == "Obj"
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
        {**rectangle(1, 1, 5, 5), "original_width": -1},
        {**rectangle(1, 1, 5, 5), "value": None},
    ],
    ids=lambda broken: str(broken)[:60],
)
def test_a_broken_shape_is_malformed(broken: JSONObject) -> None:
    with pytest.raises(MalformedRequestError) as caught:
        parse_prompt({"result": [broken]}, max_clicks=9)
    assert len(caught.value.message) < 500


# Outlines


def test_an_upright_rectangle_holds_the_pixels_whose_centres_it_holds() -> None:
    assert drawn(rectangle(10, 20, 30, 40)).box == Box(20, 20, 60, 80)
    assert drawn(rectangle(10, 20, 30, 40)).inside is None


@pytest.mark.parametrize(
    ("box", "region"),
    [
        ((-10, -10, 30, 30), Box(0, 0, 20, 40)),
        ((90, 90, 30, 30), Box(90, 180, 100, 200)),
        ((40, 60, -30, -40), Box(20, 20, 60, 80)),  # drawn from the lower right
    ],
)
def test_a_rectangle_is_cut_to_the_image_whichever_way_it_was_drawn(
    box: tuple[float, float, float, float], region: Box
) -> None:
    assert drawn(rectangle(*box)).box == region


@pytest.mark.parametrize(
    "raw",
    [
        rectangle(120, 10, 5, 5),
        rectangle(10, 10, 0.01, 0.01),
        rectangle(10, 10, 0, 20),
        rectangle(120, 120, 5, 5, rotation=30),
        shape("polygonlabels", points=[[10, 10], [20, 20], [30, 30]]),
        shape("ellipselabels", x=50, y=50, radiusX=0, radiusY=0),
    ],
    ids=str,
)
def test_an_outline_that_holds_nothing_is_told(raw: JSONObject) -> None:
    with pytest.raises(PromptError, match="nothing") as caught:
        drawn(raw)
    assert caught.value.hint


def test_a_rectangle_turns_about_its_top_left_corner_in_pixels() -> None:
    turned = drawn(rectangle(50, 50, 10, 40, rotation=90))  # 20×40 px at (100, 50), to the left
    assert turned.box == Box(50, 60, 70, 100)
    assert turned.inside is not None
    assert turned.inside.sum() == 20 * 40


def test_an_ellipse_covers_its_area() -> None:
    ellipse = drawn(shape("ellipselabels", x=50, y=50, radiusX=20, radiusY=30))
    assert ellipse.inside.sum() == pytest.approx(math.pi * 40 * 30, rel=0.02)
    assert ellipse.inside[50, 100]


def test_a_polygon_that_crosses_itself_is_filled_by_the_even_odd_rule() -> None:
    bow = drawn(shape("polygonlabels", points=[[10, 10], [90, 90], [90, 10], [10, 90]]))
    assert bow.inside[50, 30]
    assert not bow.inside[20, 100]


@settings(deadline=None, max_examples=200)
@given(*(st.floats(-150, 150) for _ in range(4)), st.floats(-720, 720))
def test_any_rectangle_is_an_outline_on_the_image_or_a_typed_error(
    x: float, y: float, width: float, height: float, rotation: float
) -> None:
    try:
        found = drawn(rectangle(x, y, width, height, rotation))
    except PromptError:
        return
    found.check(SIZE)


# Strokes


def test_a_stroke_becomes_clicks_on_it_that_lie_apart() -> None:
    mask = np.zeros(SIZE, dtype=np.bool_)
    mask[48:53, 20:180] = True
    clicks = stroke_clicks(stroke(mask), SIZE)
    assert len(clicks) == STROKE_CLICKS
    assert all(click.positive and mask[int(click.point.y), int(click.point.x)] for click in clicks)
    places = sorted(click.point.x for click in clicks)
    assert min(b - a for a, b in itertools.pairwise(places)) > 15


def test_a_dot_becomes_one_click() -> None:
    mask = np.zeros(SIZE, dtype=np.bool_)
    mask[50, 60] = True
    (click,) = stroke_clicks(stroke(mask), SIZE)
    assert (click.point.x, click.point.y) == (60, 50)


def test_strokes_that_cannot_be_used_are_told() -> None:
    empty, small = np.zeros(SIZE, dtype=np.bool_), np.ones((10, 10), dtype=np.bool_)
    with pytest.raises(PromptError, match="empty"):
        stroke_clicks(stroke(empty), SIZE)
    with pytest.raises(PromptError, match="10×10"):
        stroke_clicks(stroke(small), SIZE)
    with pytest.raises(PromptError, match="cannot be read"):
        stroke_clicks(stroke(small, original_width=200, original_height=100), SIZE)
