from __future__ import annotations

from typing import Any

from edgeflow_backend.engine.streams import marks_of, stream_of
from edgeflow_backend.protocol.prompts import ClickPrompt, Prompt, parse_prompt
from edgeflow_backend.protocol.wire import KeyPoint
from tests.contract.wire import keypoint


def points(*regions: dict[str, Any]) -> ClickPrompt:
    return ClickPrompt(tuple(KeyPoint.model_validate(region) for region in regions))


def point(key: str, x: float = 50, *, positive: bool = True, **changes: Any) -> dict[str, Any]:
    return {**keypoint(x, 50, positive=positive), "id": key, **changes}


def rectangle(key: str, width: float = 20) -> Prompt:
    value = {"x": 10, "y": 10, "width": width, "height": 20, "rectanglelabels": ["Object"]}
    region = {**keypoint(10, 10), "id": key, "type": "rectanglelabels", "value": value}
    return parse_prompt({"result": [region]}, max_clicks=10)


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


def test_marks_grow_with_each_click() -> None:
    one, two = marks_of(points(point("a"))), marks_of(points(point("a"), point("b")))
    assert one < two
    assert len(two) == 2


def test_a_point_that_was_moved_or_turned_has_another_mark() -> None:
    before = marks_of(points(point("a")))
    assert marks_of(points(point("a", x=51))).isdisjoint(before)
    assert marks_of(points(point("a", positive=False))).isdisjoint(before)
    assert marks_of(points(point("a"))) == before


def test_clicks_without_ids_have_no_marks() -> None:
    assert marks_of(points(point(""))) == frozenset()
    assert marks_of(points(point("a"), point(""))) == frozenset()


def test_a_shape_that_is_drawn_anew_has_another_mark() -> None:
    before, after = rectangle("r"), rectangle("r", width=30)
    assert stream_of("task 7", before) == stream_of("task 7", after)
    assert marks_of(before).isdisjoint(marks_of(after))
    assert marks_of(rectangle("r")) == marks_of(before)


def test_a_shape_without_an_id_has_no_marks() -> None:
    assert marks_of(rectangle("")) == frozenset()
