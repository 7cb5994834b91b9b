"""Prompts that leave out, or send null for, what Label Studio always says."""

from __future__ import annotations

import math
from typing import Any

import pytest

from edgeflow.errors import PromptError
from edgeflow.label_studio.values import JSONObject
from edgeflow_backend.protocol.prompt import Prompt
from edgeflow_backend.protocol.prompts import parse_prompt
from tests.contract.wire import keypoint

ABSENT = "(absent)"

VALUES: dict[str, JSONObject] = {
    "keypointlabels": {"x": 40, "y": 40, "width": 0.3},
    "rectanglelabels": {"x": 10, "y": 10, "width": 50, "height": 50, "rotation": 0},
    "ellipselabels": {"x": 40, "y": 40, "radiusX": 20, "radiusY": 20, "rotation": 0},
    "polygonlabels": {"points": [[10, 10], [60, 10], [60, 60]], "closed": True},
    "brushlabels": {"format": "rle", "rle": [0, 4]},
}


def drawn(kind: str) -> JSONObject:
    value = {**VALUES[kind], "labels": ["Object"], kind: ["Object"]}
    return {**keypoint(1, 1), "type": kind, "value": value}


def with_change(kind: str, field: str, value: object) -> JSONObject:
    """A region with one field changed; ``value.x`` is below its value."""
    region = drawn(kind)
    holder = region["value"] if field.startswith("value.") else region
    name = field.removeprefix("value.")
    if value is ABSENT:
        holder.pop(name, None)
    else:
        holder[name] = value
    return region


def parsed(region: JSONObject) -> Prompt:
    return parse_prompt({"result": [region]}, max_clicks=9)


@pytest.mark.parametrize("kind", VALUES)
@pytest.mark.parametrize(
    ("field", "given", "read"),
    [
        ("id", "a", "a"), ("id", None, ""), ("id", ABSENT, ""), ("id", 5, "5"),
        ("from_name", None, ""), ("from_name", ABSENT, ""), ("to_name", 5, "5"),
        ("image_rotation", 90, 90), ("image_rotation", None, 0), ("image_rotation", ABSENT, 0),
        ("image_rotation", math.nan, 0), ("image_rotation", "90", 90), ("image_rotation", "x", 0),
        ("original_width", 640, 640), ("original_width", 640.0, 640),
        ("original_width", "640", 640),
        ("original_width", 0, None), ("original_width", None, None), ("original_width", "", None),
        ("original_width", ABSENT, None), ("original_width", -640, None),
        ("original_width", math.nan, None), ("original_width", 640.5, None),
        ("original_width", True, None), ("original_width", [640], None),
        ("original_height", 0, None), ("original_height", "x", None),
        ("item_index", 2, 2), ("item_index", "2", 2), ("item_index", 2.0, 2),
        ("item_index", None, None), ("item_index", ABSENT, None), ("item_index", "", None),
    ],
)  # fmt: skip
def test_what_has_a_safe_meaning_is_read_so(
    kind: str, field: str, given: object, read: object
) -> None:
    assert getattr(parsed(with_change(kind, field, given)).newest, field) == read


@pytest.mark.parametrize("kind", VALUES)
@pytest.mark.parametrize(
    ("given", "read"),
    [
        (["Object"], ("Object",)), (["a", "b"], ("a", "b")), ("Object", ("Object",)),
        ([5], ("5",)), (7, ("7",)), ([], ()), (None, ()), (ABSENT, ()), ([None], ()),
    ],
)  # fmt: skip
def test_labels_of_other_spellings(kind: str, given: object, read: tuple[str, ...]) -> None:
    region = with_change(kind, "value.labels", given)
    region["value"][kind] = None
    assert parsed(region).labels == read
    region["value"].pop(kind)
    assert parsed(region).labels == read


@pytest.mark.parametrize("kind", VALUES)
@pytest.mark.parametrize("labels", [[[]], [{}], {"a": 1}, True, [["Object"]]])
def test_a_label_that_cannot_be_read_is_not_dropped(kind: str, labels: Any) -> None:
    with pytest.raises(PromptError, match="labels"):
        parsed(with_change(kind, "value.labels", labels))


@pytest.mark.parametrize(
    ("kind", "field", "given"),
    [
        ("keypointlabels", "value.width", 0), ("keypointlabels", "value.width", None),
        ("keypointlabels", "value.width", ABSENT), ("keypointlabels", "value.width", math.nan),
        ("keypointlabels", "value.x", "40"), ("keypointlabels", "is_positive", None),
        ("rectanglelabels", "value.rotation", None), ("rectanglelabels", "value.rotation", ABSENT),
        ("ellipselabels", "value.rotation", None), ("polygonlabels", "value.closed", None),
        ("brushlabels", "value.format", None), ("brushlabels", "value.format", ABSENT),
    ],
)  # fmt: skip
def test_what_is_not_needed_may_be_missing(kind: str, field: str, given: object) -> None:
    assert parsed(with_change(kind, field, given)).newest.type == kind


@pytest.mark.parametrize(
    ("kind", "field", "given"),
    [
        ("keypointlabels", "value.x", None), ("keypointlabels", "value.y", ABSENT),
        ("keypointlabels", "is_positive", "x"), ("keypointlabels", "value", None),
        ("rectanglelabels", "value.rotation", math.nan), ("rectanglelabels", "value.width", None),
        ("ellipselabels", "value.radiusX", None), ("polygonlabels", "value.points", None),
        ("brushlabels", "value.rle", None), ("keypointlabels", "item_index", -1),
        ("keypointlabels", "item_index", "x"), ("rectanglelabels", "item_index", 1.5),
        ("brushlabels", "item_index", math.nan), ("polygonlabels", "item_index", True),
    ],
)  # fmt: skip
def test_what_cannot_be_answered_is_refused_by_its_name(
    kind: str, field: str, given: object
) -> None:
    with pytest.raises(PromptError, match=field.rpartition(".")[2]) as caught:
        parsed(with_change(kind, field, given))
    assert caught.value.hint
