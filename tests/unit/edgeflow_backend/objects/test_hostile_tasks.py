"""Drafts, annotations and predictions with odd values anywhere: read as far as they make sense."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeflow.errors import EdgeFlowError, LabelConfigError
from edgeflow.geometry import Size
from edgeflow.label_studio.brush_rle import encode_brush
from edgeflow.label_studio.config.label_config import parse_label_config
from edgeflow_backend.memory.byte_lru import ByteLRU
from edgeflow_backend.objects.found_prompts import prompts_in
from edgeflow_backend.objects.spent_clicks import drop_spent
from edgeflow_backend.objects.task_regions import MaskCache, TaskRegions, Where, region_mask
from edgeflow_backend.protocol.config_check import RECOMMENDED
from edgeflow_backend.protocol.prompts import parse_prompt
from edgeflow_backend.repair.lost import find_lost
from tests.unit.edgeflow.label_studio.test_hostile_codes import KINDS, NESTED
from tests.unit.edgeflow_backend.objects.test_task_regions import SIZE, blob
from tests.unit.edgeflow_backend.samples import click

pytestmark = pytest.mark.slow

CONFIG = parse_label_config(RECOMMENDED).for_task({"image": "x"})

RECORD = {
    "v": 1,
    "object": "efr",
    "model": "m",
    "clicks": [["a", 50.0, 50.0, True]],
    "box": [10.0, 10.0, 50.0, 50.0],
    "digest": "0" * 16,
}
GOOD: dict[str, Any] = {
    "id": "efr",
    "type": "brushlabels",
    "from_name": "mask",
    "to_name": "image",
    "original_width": SIZE.width,
    "original_height": SIZE.height,
    "image_rotation": 0,
    "value": {"format": "rle", "rle": list(encode_brush(blob())), "brushlabels": ["Object"]},
    "meta": {"edgeflow": RECORD},
    "origin": "manual",
}
TYPES = st.sampled_from((*KINDS, "keypointlabels", "labels", "choices", "relation"))


@st.composite
def regions(draw: st.DrawFn) -> Any:
    """Real ones with something else in some of their places."""
    if not draw(st.integers(0, 9)):
        return draw(NESTED)
    region = json.loads(json.dumps(GOOD))
    for key in draw(st.lists(st.sampled_from(sorted(region)), max_size=2)):
        region[key] = draw(TYPES if key == "type" else NESTED)
    if isinstance(region["value"], dict) and draw(st.booleans()):
        key = draw(st.sampled_from(("rle", "format", "touches", "points", "labels", "x")))
        region["value"][key] = draw(NESTED)
    if region.get("meta") == GOOD["meta"] and draw(st.booleans()):
        region["meta"]["edgeflow"][draw(st.sampled_from(sorted(RECORD)))] = draw(NESTED)
    return region


def holders() -> st.SearchStrategy[Any]:
    entry = st.fixed_dictionaries(
        {"result": st.lists(regions(), max_size=3) | NESTED},
        optional={
            "id": NESTED,
            "user": NESTED,
            "updated_at": NESTED,
            "was_cancelled": NESTED,
            "created_username": NESTED,
        },
    )
    return st.lists(entry | NESTED, max_size=2) | NESTED


TASKS = st.fixed_dictionaries(
    {"id": NESTED, "data": st.just({"image": "x"})},
    optional={"drafts": holders(), "annotations": holders(), "predictions": holders()},
)
WHERE: tuple[Where, ...] = ("off", "drafts", "annotations")


@settings(deadline=None, max_examples=150)
@given(TASKS, st.sampled_from(WHERE))
def test_any_task_is_read_and_each_mask_fits_or_is_none(task: dict[str, Any], where: Where) -> None:
    found = TaskRegions.of(task, where)
    masks: MaskCache = ByteLRU(10**6)
    for region in found.open:
        mask = region_mask(region, SIZE, masks)
        if mask is not None:
            assert mask.image_size == (region.size or SIZE)
            assert region_mask(region, SIZE, masks) is mask
    prompt = parse_prompt({"result": [click(50, 50, id="a"), click(60, 60)]}, max_clicks=9)
    assert drop_spent(prompt, task["id"], found).ids


@settings(deadline=None, max_examples=150)
@given(TASKS)
def test_prompts_are_found_in_any_task_or_none_are(task: dict[str, Any]) -> None:
    for prompt in prompts_in(task, CONFIG).prompts:
        try:
            prompt.clicks(Size(10, 10), begins=True)
        except EdgeFlowError as error:
            assert error.hint


@settings(deadline=None, max_examples=150)
@given(st.lists(regions(), max_size=4) | NESTED, NESTED)
def test_lost_masks_are_looked_for_in_any_annotation(result: Any, task: Any) -> None:
    try:
        find_lost(result, CONFIG, task, max_clicks=100)
    except LabelConfigError as error:
        assert error.hint
