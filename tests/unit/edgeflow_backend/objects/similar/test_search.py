"""An example and its answer, with the real network behind it."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from edgeflow.errors import LabelConfigError, PromptError
from edgeflow.geometry import Size
from edgeflow.inference.predictor import Predictor
from edgeflow.label_studio.brush_rle import decode_brush, encode_brush
from edgeflow.label_studio.config.label_config import parse_label_config
from edgeflow.label_studio.values import JSONObject
from edgeflow.nn.interface import NoFeaturesError
from edgeflow_backend.errors import NothingAlikeError
from edgeflow_backend.protocol.prompts import parse_prompt
from edgeflow_backend.requests import Answer, Request
from edgeflow_backend.settings import Settings
from tests.unit.edgeflow_backend.samples import projects_with_overlap
from tests.unit.local_service import local, local_service

PHOTO = Path(__file__).parents[5] / "demo" / "photos" / "coins.jpg"
SIZE = Size(152, 182)
RADIUS = 22
PLACES = [(x, y) for y in (50, 124) for x in (38, 98, 153)]
"""Middles of the six coins in that corner of the photograph, image pixels."""

CONFIG = """<View>
  <KeyPoint name="click" toName="image" smart="true" smartOnly="true"/>
  <KeyPoint name="similar" toName="image" smart="true" smartOnly="true" edgeflowFind="similar"/>
  <Rectangle name="box" toName="image" smart="true" smartOnly="true" edgeflowFind="similar"/>
  <Image name="image" value="$image"/>
  <BrushLabels name="mask" toName="image" smart="false"><Label value="Coin"/></BrushLabels>
</View>"""
OUTLINES = """
  <PolygonLabels name="outline" toName="image" smart="false"><Label value="Coin"/></PolygonLabels>
</View>"""

BoolMask = npt.NDArray[np.bool_]
Make = Callable[..., "Desk"]


@cache
def coins() -> str:
    buffer = io.BytesIO()
    Image.open(PHOTO).crop((0, 0, SIZE.width, SIZE.height)).save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def prompt(key: str, kind: str, control: str, **more: Any) -> JSONObject:
    size = {"original_width": SIZE.width, "original_height": SIZE.height}
    return {"id": key, "type": kind, "from_name": control, "to_name": "image", **size, **more}


def click(number: int, key: str, *, control: str = "similar", positive: bool = True) -> JSONObject:
    """A click on a coin; off its middle, so that it is not where one would be found."""
    x, y = PLACES[number]
    value = {"x": (x + 5) * 100 / SIZE.width, "y": (y + 3) * 100 / SIZE.height, "width": 0.3}
    return prompt(key, "keypoint", control, value=value, is_positive=positive)


def labelled(point: JSONObject) -> JSONObject:
    """A click while a label was picked."""
    return {**point, "value": {**point["value"], "labels": ["Coin"]}}


def box(number: int, key: str) -> JSONObject:
    x, y = (place - 1.2 * RADIUS for place in PLACES[number])
    side = 2.4 * RADIUS
    value = {
        "x": x * 100 / SIZE.width,
        "y": y * 100 / SIZE.height,
        "width": side * 100 / SIZE.width,
        "height": side * 100 / SIZE.height,
        "rotation": 0,
    }
    return prompt(key, "rectangle", "box", value=value)


def mask_of(region: JSONObject) -> BoolMask:
    return decode_brush(region["value"]["rle"], SIZE) > 0


def shown(regions: Sequence[JSONObject]) -> list[int]:
    """Which coins the regions show, in their order; each must show one."""
    numbers = []
    for region in regions:
        mask = mask_of(region)
        (number,) = (n for n, (x, y) in enumerate(PLACES) if mask[y, x])
        assert 0.6 < mask.sum() / (np.pi * RADIUS**2) < 1.6
        numbers.append(number)
    return numbers


class Desk:
    """A backend, and an annotator in a project where one person annotates each task."""

    def __init__(self, predictor: Predictor, **settings: Any) -> None:
        self.now = 1000.0
        # Nothing that a busy machine would cut short.
        settings = {"similar_seconds": 60, "similar_limit": 5, **settings}
        self.service = local_service(
            Settings(**settings),
            predictor,
            projects=projects_with_overlap(1),
            clock=lambda: self.now,
        )

    def answer(
        self, *prompts: JSONObject, draft: Sequence[JSONObject] = (), config: str = CONFIG
    ) -> Answer:
        self.now += 1.0
        task: JSONObject = {"id": 3, "data": {"image": coins()}}
        if draft:
            task["drafts"] = [{"updated_at": "2026", "user": "ann", "result": list(draft)}]
        parsed = parse_label_config(config).for_task(task["data"])
        found = parse_prompt({"result": list(prompts)}, max_clicks=100, config=parsed)
        return self.service.segment(Request(task, found, parsed))

    def ask(self, *prompts: JSONObject, **more: Any) -> list[JSONObject]:
        return self.answer(*prompts, **more).regions


@pytest.fixture(scope="module")
def make(predictor: Predictor) -> Make:
    return lambda **settings: Desk(predictor, **settings)


@pytest.fixture(scope="module")
def all_six(make: Make) -> list[JSONObject]:
    """What a click on the first coin gets."""
    return make().ask(click(0, "p"))


def test_an_example_comes_first_then_all_its_like(all_six: list[JSONObject]) -> None:
    numbers = shown(all_six)
    assert numbers[0] == 0
    assert sorted(numbers) == [0, 1, 2, 3, 4, 5]
    scores = [region["score"] for region in all_six[1:]]
    assert scores == sorted(scores, reverse=True)
    assert len({region["id"] for region in all_six}) == len(all_six)


def test_asking_again_gives_the_same_ids_and_masks(make: Make, all_six: list[JSONObject]) -> None:
    desk = make()
    once, again = desk.ask(click(0, "p")), desk.ask(click(0, "p"))
    assert once == again == all_six  # another backend's, too


def test_an_object_keeps_its_id_whichever_example_finds_it(
    make: Make, all_six: list[JSONObject]
) -> None:
    desk = make()
    ids = dict(zip(shown(all_six), (r["id"] for r in desk.ask(click(0, "p"))), strict=True))
    later = desk.ask(click(4, "q"))  # before any draft is saved
    assert dict(zip(shown(later), (r["id"] for r in later), strict=True)) == ids


def test_what_is_there_is_an_example_and_is_not_suggested(
    make: Make, all_six: list[JSONObject]
) -> None:
    found = make().ask(click(0, "q"), draft=all_six[:3])
    assert sorted(shown(found)) == sorted(set(range(6)) - set(shown(all_six[:3])))


def test_an_object_that_lacks_its_region_does_not_hide_another(
    make: Make, all_six: list[JSONObject]
) -> None:
    there = [region for region, n in zip(all_six, shown(all_six), strict=True) if n in (1, 2)]
    found = make().ask(click(0, "p"), draft=there)
    assert shown(found)[0] == 0
    assert sorted(shown(found)) == [0, 3, 4, 5]


def test_nothing_more_of_the_kind_is_said(make: Make, all_six: list[JSONObject]) -> None:
    with pytest.raises(NothingAlikeError, match="nothing else"):
        make().ask(click(1, "q"), draft=all_six)


def test_a_rejected_one_stays_away(make: Make) -> None:
    desk = make()
    first = desk.ask(click(0, "p"))
    number = dict(zip(shown(first), range(6), strict=True))
    kept = [first[number[n]] for n in (0, 1, 2, 3)]  # 4 and 5 were rejected
    desk.now += 60
    with pytest.raises(NothingAlikeError):
        desk.ask(click(1, "q"), draft=kept)
    # As long as its point is there, the suggestions are, too.
    assert sorted(shown(desk.ask(click(0, "p"), click(1, "q"), draft=kept[1:]))) == [0, 4, 5]


def test_all_rejected_is_asked_anew(make: Make) -> None:
    desk = make()
    desk.ask(click(0, "p"))
    assert sorted(shown(desk.ask(click(3, "q")))) == [0, 1, 2, 3, 4, 5]


def test_clicks_are_examples_each(make: Make) -> None:
    regions = make().ask(click(0, "p"), click(3, "q"))
    assert shown(regions)[:2] == [0, 3]
    assert sorted(shown(regions)) == [0, 1, 2, 3, 4, 5]


def test_a_negative_click_is_on_what_is_not_meant(make: Make, all_six: list[JSONObject]) -> None:
    regions = make().ask(click(0, "p"), click(3, "n", positive=False))
    assert 3 not in shown(regions)
    with pytest.raises(PromptError, match="no click shows"):
        make().ask(click(3, "n", positive=False))
    there = make().ask(click(3, "n", positive=False), draft=all_six[:1])
    assert 3 not in shown(there)


def test_a_box_is_an_example_and_so_are_those_before_it(make: Make) -> None:
    desk = make()
    assert shown(desk.ask(box(2, "b")))[0] == 2
    both = desk.ask(box(2, "b"), box(5, "c"))
    assert shown(both)[:2] == [2, 5]
    accepted = desk.ask(box(2, "b"), box(5, "c"), draft=both[:1])  # its box was left there
    assert 2 not in shown(accepted)


def test_a_box_around_what_is_there_makes_no_second_one(
    make: Make, all_six: list[JSONObject]
) -> None:
    found = make().ask(box(shown(all_six)[1], "b"), draft=all_six[:2])
    assert sorted(shown(found)) == sorted(shown(all_six[2:]))


def test_the_limit_keeps_the_rest_for_the_next_time(make: Make) -> None:
    desk = make(similar_limit=2)
    first = desk.ask(click(0, "p"))
    assert len(first) == 3
    second = desk.ask(click(0, "q"), draft=first)
    assert len(second) == 2
    assert not set(shown(first)) & set(shown(second))


def test_brush_masks_have_a_limit_of_their_own(make: Make) -> None:
    desk = make(similar_brush_limit=1)
    assert len(desk.ask(click(0, "p"))) == 2
    outlines = desk.ask(click(0, "p"), config=CONFIG.replace("</View>", OUTLINES))
    assert {region["type"] for region in outlines} == {"polygonlabels"}
    assert len(outlines) == 6


def test_a_click_of_the_other_tool_refines_what_was_found(
    make: Make, all_six: list[JSONObject]
) -> None:
    found = next(r for r, n in zip(all_six, shown(all_six), strict=True) if n == 4)
    x, y = PLACES[4]
    beside = {"x": (x + RADIUS - 4) * 100 / SIZE.width, "y": y * 100 / SIZE.height, "width": 0.3}
    less = prompt("r", "keypoint", "click", value=beside, is_positive=False)
    (stored,) = make().ask(less, draft=[found])  # another process, long after
    desk = make()
    desk.ask(click(0, "p"))
    (recent,) = desk.ask(less)  # before the draft is saved
    for refined in (stored, recent):
        assert refined["id"] == found["id"]
        assert refined["value"] == stored["value"]
        assert not mask_of(refined)[y, x + RADIUS - 4]
        assert mask_of(refined)[y, x - 10]


def test_regions_of_other_labels_are_no_examples(make: Make, all_six: list[JSONObject]) -> None:
    config = CONFIG.replace('<Label value="Coin"/>', '<Label value="Coin"/><Label value="Ring"/>')
    other = {**all_six[1], "value": {**all_six[1]["value"], "brushlabels": ["Ring"]}}
    unlike = labelled(click(3, "n", positive=False))
    with pytest.raises(PromptError, match="no click shows"):
        make().ask(unlike, draft=[other], config=config)
    found = make().ask(labelled(click(0, "p")), draft=[other], config=config)
    assert shown(all_six)[1] not in shown(found)  # its place is taken all the same


def test_a_mask_all_around_does_not_take_the_places_inside(
    make: Make, all_six: list[JSONObject]
) -> None:
    config = CONFIG.replace('<Label value="Coin"/>', '<Label value="Coin"/><Label value="Dish"/>')
    rle = list(encode_brush(np.ones(SIZE, dtype=np.bool_)))
    dish = {
        **all_six[0],
        "id": "dish",
        "meta": {},
        "value": {"format": "rle", "rle": rle, "brushlabels": ["Dish"]},
    }
    assert len(make().ask(labelled(click(0, "p")), draft=[dish], config=config)) == 6


def test_what_is_there_counts_where_clicks_refine_nothing(
    make: Make, all_six: list[JSONObject]
) -> None:
    with pytest.raises(NothingAlikeError):
        make(refine="off").ask(click(1, "q"), draft=all_six)


def test_masks_that_must_not_overlap_give_way(make: Make, all_six: list[JSONObject]) -> None:
    config = CONFIG.replace("<BrushLabels ", '<BrushLabels edgeflowOverlap="never" ')
    regions = make().ask(click(0, "p"), config=config)
    assert np.sum([mask_of(region) for region in regions], axis=0).max() == 1
    assert len(regions) == len(all_six)


def test_features_are_kept_and_counted(make: Make) -> None:
    desk = make()
    segmenter = local(desk.service)
    kept = {cache.name: cache for cache in segmenter.caches()}
    assert kept["features"].nbytes == 0
    desk.ask(click(0, "p", control="click"))
    assert segmenter.caches()[-1].nbytes == 0  # nothing for ordinary clicks
    desk.ask(click(0, "p"))
    assert 0 < segmenter.caches()[-1].nbytes <= segmenter.caches()[-1].max_bytes


def test_a_model_that_cannot_tell_what_looks_alike_says_so(predictor: Predictor) -> None:
    blind = Predictor(predictor.runtime, version="blind", policy=predictor.policy)
    with pytest.raises(NoFeaturesError) as caught:
        Desk(blind).ask(click(0, "p"))
    assert caught.value.hint


def test_another_value_of_the_attribute_is_refused(make: Make) -> None:
    with pytest.raises(LabelConfigError, match='edgeflowFind="same"') as caught:
        make().ask(click(0, "p"), config=CONFIG.replace('"similar"/>', '"same"/>'))
    assert '"similar"' in caught.value.hint


def test_a_search_is_no_click_in_the_statistics(make: Make) -> None:
    desk = make()
    assert desk.answer(click(0, "p")).searched
    assert not desk.answer(click(0, "q", control="click")).searched
