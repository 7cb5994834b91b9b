"""Masks that leave out what others cover, with the real network behind them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from edgeflow.arrays import BoolMask
from edgeflow.errors import LabelConfigError, PromptError
from edgeflow.inference.predictor import Predictor
from edgeflow.label_studio.brush_rle import decode_brush, encode_brush
from edgeflow.label_studio.config.label_config import parse_label_config
from edgeflow.masks.patch import MaskPatch
from edgeflow_backend.objects.overlap import without
from edgeflow_backend.protocol.config_check import RECOMMENDED, check
from edgeflow_backend.protocol.prompts import parse_prompt
from edgeflow_backend.requests import Request
from edgeflow_backend.settings import Settings
from edgeflow_backend.status.metrics import Metrics
from tests.contract.wire import JSONObject
from tests.unit.edgeflow_backend.samples import (
    SIZE,
    click,
    disk,
    disk_request,
    projects_with_overlap,
)
from tests.unit.local_service import local_service

NEVER = RECOMMENDED.replace("<BrushLabels ", '<BrushLabels edgeflowOverlap="never" ')
Ask = Callable[..., JSONObject]


def block(left: int, right: int) -> BoolMask:
    mask = np.zeros(SIZE, dtype=np.bool_)
    mask[:, left:right] = True
    return mask


LEFT_HALF = block(0, 80)


def drawn(mask: BoolMask, **changes: Any) -> JSONObject:
    """A mask that somebody drew."""
    value = {"format": "rle", "rle": list(encode_brush(mask)), "brushlabels": ["Object"]}
    return {
        "id": "drawn", "type": "brushlabels", "from_name": "mask", "to_name": "image",
        "original_width": SIZE.width, "original_height": SIZE.height, "value": value, **changes,
    }  # fmt: skip


def decoded(region: JSONObject) -> BoolMask:
    return decode_brush(region["value"]["rle"], SIZE) > 0


def point(x: float, y: float, key: str, *, positive: bool = True) -> JSONObject:
    return {**click(x, y, positive=positive), "id": key}


@pytest.fixture
def ask(predictor: Predictor) -> Ask:
    """A backend, and an annotator who lets every draft be saved first; answers the only region."""
    now = [1000.0]
    service = local_service(
        Settings(),
        predictor,
        Metrics(),
        projects=projects_with_overlap(1),
        clock=lambda: now[0],
    )

    def asked(
        *points: JSONObject,
        draft: tuple[JSONObject, ...] = (),
        xml: str = NEVER,
        pause: float = 20,
    ) -> Any:
        now[0] += pause
        body = disk_request(*points)
        drafts = [{"updated_at": "2026", "result": list(draft)}] if draft else []
        task = {**body["tasks"][0], "drafts": drafts}
        prompt = parse_prompt(body["params"]["context"], max_clicks=100)
        request = Request(task, prompt, parse_label_config(xml).for_task(task["data"]))
        (region,) = service.segment(request).regions
        return region

    return asked


def test_a_new_mask_leaves_out_what_others_cover(ask: Ask) -> None:
    alone = decoded(ask(point(55, 50, "a"), xml=RECOMMENDED))
    assert (alone & LEFT_HALF).any()
    beside = decoded(ask(point(55, 50, "b"), draft=(drawn(LEFT_HALF),)))
    np.testing.assert_array_equal(beside, alone & ~LEFT_HALF)


def test_without_the_attribute_masks_overlap(ask: Ask) -> None:
    alone = ask(point(55, 50, "a"), xml=RECOMMENDED)
    beside = ask(point(55, 50, "b"), draft=(drawn(LEFT_HALF),), xml=RECOMMENDED)
    assert beside["value"]["rle"] == alone["value"]["rle"]


def test_a_refined_mask_replays_its_clicks_and_gives_way_again(ask: Ask) -> None:
    first, second = point(55, 50, "a"), point(60, 55, "b", positive=False)
    both = decoded(ask(first, second, xml=RECOMMENDED))
    cut = ask(first, draft=(drawn(LEFT_HALF),))
    refined = ask(second, draft=(drawn(LEFT_HALF), cut))
    assert refined["id"] == cut["id"]
    assert "from_mask" not in refined["meta"]["edgeflow"]
    np.testing.assert_array_equal(decoded(refined), both & ~LEFT_HALF)
    freed = ask(second, draft=(cut,))  # the neighbour was deleted
    np.testing.assert_array_equal(decoded(freed), both)


def test_an_answer_that_no_draft_shows_yet_counts(ask: Ask) -> None:
    first = ask(point(50, 50, "a"))
    meadow = ask(point(10, 10, "b"), pause=1)
    assert meadow["id"] != first["id"]
    assert not (decoded(meadow) & decoded(first)).any()


def test_a_refined_answer_does_not_give_way_to_its_own_older_self(ask: Ask) -> None:
    first = ask(point(50, 50, "a"))
    again = ask(point(52, 52, "b"), pause=1)
    assert again["id"] == first["id"]
    stored = ask(point(48, 48, "c"), draft=(first,))
    assert stored["id"] == first["id"]
    assert (decoded(stored) & disk()).sum() > 0.9 * disk().sum()


@pytest.mark.parametrize(
    "other",
    [
        drawn(LEFT_HALF, item_index=1),
        drawn(LEFT_HALF, to_name="another"),
        drawn(LEFT_HALF, value={"format": "rle", "rle": [1, 2, 3], "brushlabels": ["Object"]}),
        drawn(
            LEFT_HALF,
            type="rectanglelabels",
            value={"x": 0, "y": 0, "width": 50, "height": 100, "rectanglelabels": ["Object"]},
        ),
    ],
    ids=["another page", "another image", "unreadable", "rectangle"],
)
def test_what_covers_nothing_here_takes_nothing(ask: Ask, other: JSONObject) -> None:
    alone = ask(point(55, 50, "a"), xml=RECOMMENDED)
    beside = ask(point(55, 50, "b"), draft=(other,))
    assert beside["value"]["rle"] == alone["value"]["rle"]


def test_masks_of_other_kinds_and_sizes_count(ask: Ask) -> None:
    polygon = drawn(
        LEFT_HALF,
        type="polygonlabels",
        value={"points": [[0, 0], [50, 0], [50, 100], [0, 100]], "polygonlabels": ["Other"]},
    )
    half = drawn(
        block(0, 40)[::2, :80],
        original_width=80,
        original_height=60,
        value={"rle": list(encode_brush(block(0, 40)[::2, :80])), "brushlabels": ["Other"]},
    )
    alone = decoded(ask(point(55, 50, "a"), xml=RECOMMENDED))
    for number, other in enumerate((polygon, half)):
        beside = decoded(ask(point(55, 50, f"b{number}"), draft=(other,)))
        np.testing.assert_array_equal(beside, alone & ~LEFT_HALF)


def test_an_object_that_others_cover_wholly_is_refused_with_the_way_out(ask: Ask) -> None:
    other = drawn(block(0, 160))
    other["value"]["brushlabels"] = ["Other"]
    with pytest.raises(PromptError, match="there already") as caught:
        ask(point(50, 50, "a"), draft=(other,))
    assert "BrushLabels 'mask'" in caught.value.hint


def test_the_objects_of_one_request_give_way_to_each_other(predictor: Predictor) -> None:
    service = local_service(Settings(), predictor, Metrics())
    body = disk_request(point(50, 50, "a"))
    prompt = parse_prompt(body["params"]["context"], max_clicks=100)
    task = body["tasks"][0]
    config = parse_label_config(NEVER).for_task(task["data"])
    resolved = service._look_up(Request(task, prompt, config), time.monotonic() + 60)
    begun = service._predict(resolved, service._new_object(resolved))
    answers = [
        replace(begun, after=replace(begun.after, region_id=key), mask=MaskPatch.of(mask))
        for key, mask in (("a", LEFT_HALF), ("b", block(40, 120)), ("c", block(10, 70)))
    ]
    kept, lost = service._neighbours.apart(answers, resolved)
    assert [answer.after.region_id for answer in kept] == ["a", "b"]
    np.testing.assert_array_equal(kept[1].mask.whole(), block(80, 120))
    assert "there already" in lost[0].message


def test_a_value_that_means_nothing_is_refused_and_reported(ask: Ask) -> None:
    typo = NEVER.replace("never", "nevr")
    with pytest.raises(LabelConfigError, match='edgeflowOverlap="nevr"'):
        ask(point(50, 50, "a"), xml=typo)
    assert any("nevr" in problem for problem in check(typo))
    assert check(NEVER) == []


def test_a_mask_minus_others_is_the_difference_of_the_whole_masks() -> None:
    chance = np.random.default_rng(2)
    for _ in range(50):
        masks = [chance.random(SIZE) < 0.5 for _ in range(3)]
        for mask in masks:
            top, left = chance.integers(0, 100), chance.integers(0, 140)
            mask[:top] = False
            mask[:, :left] = False
        mine, *others = map(MaskPatch.of, masks)
        left_over = without(mine, others)
        expected = masks[0] & ~masks[1] & ~masks[2]
        np.testing.assert_array_equal(left_over.whole(), expected)
        assert left_over.digest == MaskPatch.of(expected).digest
