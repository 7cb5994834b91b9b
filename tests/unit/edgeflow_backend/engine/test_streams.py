from __future__ import annotations

from typing import Any

from edgeflow_backend.engine.streams import stream_of
from edgeflow_backend.protocol.prompts import ClickPrompt, parse_prompt
from edgeflow_backend.protocol.wire import KeyPoint
from tests.contract.wire import keypoint


def points(*regions: dict[str, Any]) -> ClickPrompt:
    return ClickPrompt(tuple(KeyPoint.model_validate(region) for region in regions))


def point(key: str, x: float = 50, *, positive: bool = True, **changes: Any) -> dict[str, Any]:
    return {**keypoint(x, 50, positive=positive), "id": key, **changes}


def test_all_clicks_on_an_object_are_one_stream() -> None:
    first = stream_of("task 7", points(point("a")))
    assert stream_of("task 7", points(point("a"), point("b"))) == first
    assert stream_of("task 7", points(point("a", x=60), point("c", positive=False))) == first


def test_another_point_task_or_control_is_another_stream() -> None:
    mine = stream_of("task 7", points(point("a")))
    others = [
        stream_of("task 7", points(point("b"))),
        stream_of("task 8", points(point("a"))),
        stream_of("task 7", points(point("a", from_name="other"))),
    ]
    assert mine not in others


def test_objects_of_one_task_are_in_one_place() -> None:
    one, other = (stream_of("task 7", points(point(key))) for key in "ab")
    assert one.place == other.place
    assert one.place != stream_of("task 8", points(point("a"))).place


def test_a_shape_that_is_drawn_anew_stays_in_its_stream() -> None:
    streams = {
        stream_of("task 7", parse_prompt({"result": [rectangle("r", width)]}, max_clicks=10))
        for width in (20, 30)
    }
    assert len(streams) == 1


def rectangle(key: str, width: float) -> dict[str, Any]:
    value = {"x": 10, "y": 10, "width": width, "height": 20, "rectanglelabels": ["Object"]}
    return {**keypoint(10, 10), "id": key, "type": "rectanglelabels", "value": value}
