"""Which clicks of a request are of one object, with round objects instead of a network."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from edgeflow.errors import PromptError, no_object
from edgeflow.geometry import Size
from edgeflow.masks.patch import MaskPatch
from edgeflow_backend.errors import SupersededError
from edgeflow_backend.objects.recent_answers import RecentAnswer
from edgeflow_backend.objects.segmented_object import SegmentedObject
from edgeflow_backend.objects.separate import separate
from edgeflow_backend.objects.signs import Visit
from edgeflow_backend.protocol.prompt import Prompt
from edgeflow_backend.protocol.prompts import ClickPrompt, OutlinePrompt
from tests.contract.wire import keypoint

SIZE = Size(100, 100)
RADIUS = 8
PLACES = {"a": (20, 20), "b": (50, 20), "c": (80, 20), "d": (20, 60), "e": (50, 60)}


def disk(x: float, y: float, radius: float = RADIUS) -> MaskPatch:
    rows, cols = np.mgrid[: SIZE.height, : SIZE.width]
    return MaskPatch.of((rows - y) ** 2 + (cols - x) ** 2 < radius**2)


class Objects:
    """Answers a click with the disk that it is on, or with one of its own."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, ...]] = []

    def __call__(self, prompt: Prompt) -> RecentAnswer:
        assert isinstance(prompt, ClickPrompt)
        self.asked.append(prompt.ids)
        positive = [point.value for point in prompt.points if point.positive]
        if not positive:
            raise PromptError("all clicks are negative", hint="")
        mask = np.zeros(SIZE, dtype=np.bool_)
        for value in positive:
            near = [at for at in PLACES.values() if np.hypot(at[0] - value.x, at[1] - value.y) < 12]
            if value.x > 95:
                raise no_object()
            mask |= disk(*(near[0] if near else (value.x, value.y))).whole()
        so_far = SegmentedObject("r", "mask", ("Object",))
        return RecentAnswer(so_far, so_far, prompt.ids, "image", None, MaskPatch.of(mask))


def point(key: str, dx: float = 0, dy: float = 0, *, positive: bool = True) -> dict[str, object]:
    x, y = PLACES[key[0]]
    return {**keypoint(x + dx, y + dy, positive=positive), "id": key}


def prompt(*points: dict[str, object]) -> ClickPrompt:
    return ClickPrompt.parse(points, max_clicks=100)


def visit(*, pending: bool = True, hurried: bool = True, overtaken: bool = False) -> Visit:
    return Visit(frozenset(), pending=pending, hurried=hurried, overtaken=overtaken)


def told_apart(asked: ClickPrompt, its: Visit | None = None) -> list[tuple[str, ...]]:
    answers, _ = separate(asked, its or visit(), Objects(), reach=1)
    return [answer.prompt_ids for answer in answers]


def test_clicks_on_several_objects_are_answered_one_by_one() -> None:
    assert told_apart(prompt(*map(point, "abcde"))) == [(key,) for key in "abcde"]


@pytest.mark.parametrize(("keys", "several"), [("abc", True), ("ab", False), ("a", False)])
def test_a_visit_says_whether_several_objects_were_answered(keys: str, several: bool) -> None:
    its = visit(hurried=False)
    told_apart(prompt(*map(point, keys)), its)
    assert its.several == several


def test_clicks_on_one_object_are_answered_together() -> None:
    assert told_apart(prompt(point("a"), point("a2", 3), point("a3", -3))) == [("a", "a2", "a3")]


def test_a_click_beside_a_mask_is_of_its_object() -> None:
    assert told_apart(prompt(point("a"), point("a2", RADIUS + 0.5))) == [("a", "a2")]


def test_clicks_with_the_same_mask_are_of_one_object() -> None:
    assert told_apart(prompt(point("a"), point("a2", RADIUS + 3))) == [("a", "a2")]


def test_a_negative_click_belongs_to_the_mask_that_it_is_on() -> None:
    asked = prompt(point("a"), point("b"), point("a2", 2, positive=False))
    assert told_apart(asked) == [("a", "a2"), ("b",)]


def test_a_negative_click_on_nothing_belongs_to_the_newest_object() -> None:
    asked = prompt(point("a"), point("b"), point("b2", 14, positive=False), point("c"))
    assert told_apart(asked) == [("a",), ("b", "b2"), ("c",)]


@pytest.mark.parametrize("its", [visit(pending=False, hurried=False)], ids=["slow"])
def test_slow_clicks_are_of_one_object_wherever_they_are(its: Visit) -> None:
    assert told_apart(prompt(*map(point, "abcde")), its) == [tuple("abcde")]


def test_of_two_places_nothing_but_haste_does_not_make_two_objects() -> None:
    quick = visit(hurried=False)
    assert told_apart(prompt(*map(point, "ab")), quick) == [("a", "b")]
    assert told_apart(prompt(*map(point, "abc")), quick) == [("a",), ("b",), ("c",)]


def test_one_positive_click_is_one_object_and_asked_once() -> None:
    objects = Objects()
    asked = prompt(point("a"), point("b", positive=False))
    answers, _ = separate(asked, visit(), objects, reach=1)
    assert [answer.prompt_ids for answer in answers] == objects.asked == [("a", "b")]


def test_a_drawn_prompt_is_one_object() -> None:
    box = {
        "id": "box", "type": "rectanglelabels", "from_name": "click", "to_name": "image",
        "value": {"x": 20, "y": 10, "width": 60, "height": 80, "rectanglelabels": ["Object"]},
    }  # fmt: skip
    outline = OutlinePrompt.parse([box], max_clicks=100)
    answered = Objects()(prompt(point("a")))
    assert separate(outline, visit(), lambda _: answered, reach=1) == ([answered], [])


def test_a_click_that_finds_nothing_costs_the_others_nothing() -> None:
    asked = prompt(point("a"), point("c2", 19), point("b"))
    answers, lost = separate(asked, visit(), Objects(), reach=1)
    assert [answer.prompt_ids for answer in answers] == [("a",), ("b",)]
    assert len(lost) == 1


def test_clicks_that_all_find_nothing_are_told() -> None:
    with pytest.raises(PromptError):
        separate(prompt(point("c1", 19), point("c2", 18)), visit(), Objects(), reach=1)


def test_an_overtaken_request_is_given_up() -> None:
    with pytest.raises(SupersededError):
        separate(prompt(*map(point, "abc")), visit(overtaken=True), Objects(), reach=1)


def test_what_comes_meanwhile_tells_a_request_that_it_holds_several() -> None:
    its, objects = visit(pending=False, hurried=False), Objects()

    def answer(asked: Prompt) -> RecentAnswer:
        its.pending = its.hurried = True
        return objects(asked)

    answers, _ = separate(prompt(*map(point, "ab")), its, answer, reach=1)
    assert [answered.prompt_ids for answered in answers] == [("a",), ("b",)]


def sequences() -> Iterator[tuple[str, ...]]:
    for count in range(2, 6):
        yield tuple("abcde"[:count])


@pytest.mark.parametrize("keys", list(sequences()), ids="".join)
def test_the_order_of_clicks_makes_no_difference(keys: tuple[str, ...]) -> None:
    forth = told_apart(prompt(*map(point, keys)))
    back = told_apart(prompt(*map(point, reversed(keys))))
    assert sorted(forth) == sorted(back)
