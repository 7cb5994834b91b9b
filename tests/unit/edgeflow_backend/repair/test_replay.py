from __future__ import annotations

from typing import Any

import pytest

from edgeflow.label_studio.config.label_config import parse_label_config
from edgeflow_backend.model import EdgeFlowBackend
from edgeflow_backend.protocol.project import NO_PROJECT
from edgeflow_backend.repair.lost import find_lost
from edgeflow_backend.repair.replay import Replayed, put_in_place, replay
from edgeflow_backend.service import SegmentationService
from tests.contract.wire import JSONObject
from tests.unit.conftest import MakeService
from tests.unit.edgeflow_backend.repair.test_lost import BOXES, smart_rectangle
from tests.unit.edgeflow_backend.samples import click, disk_request

ASKED = disk_request(label_config=BOXES)
TASK: JSONObject = ASKED["tasks"][0]


def ask(service: SegmentationService, *points: JSONObject, **task: Any) -> list[JSONObject]:
    """The regions that the editor is shown."""
    (prediction,) = EdgeFlowBackend(service=service).predict(
        [{**TASK, **task}], {"result": list(points)}, label_config=BOXES, project="1.1"
    )
    assert "error" not in prediction, prediction["error"]
    regions: list[JSONObject] = prediction["result"]
    return regions


def restore(service: SegmentationService, *result: JSONObject) -> Replayed:
    """What a repair makes of an annotation's result."""
    config = parse_label_config(BOXES).for_task(TASK["data"])
    prompts = find_lost(list(result), config, TASK["id"], max_clicks=100).prompts
    return replay(service, TASK, result, prompts, config, NO_PROJECT)


def test_clicks_give_the_very_mask_that_was_shown(make_service: MakeService) -> None:
    clicks = [click(45, 50), click(60, 55), click(8, 8, positive=False)]
    server = make_service()
    for count in (1, 2, 3):
        shown = ask(server, *clicks[:count])
    replayed = restore(make_service(), *clicks)
    assert replayed.result == replayed.masks == shown
    assert replayed.failures == ()


def test_a_rectangle_gives_the_very_mask_and_a_click_on_it_refines_it(
    make_service: MakeService,
) -> None:
    around = {"x": 25, "y": 20, "width": 50, "height": 60, "rectanglelabels": ["Object"]}
    box = smart_rectangle("b", original_width=160, original_height=120, value=around)
    point, server = click(55, 55, positive=False), make_service()
    boxed = ask(server, box)
    assert restore(make_service(), box).result == boxed
    refined = ask(server, point, drafts=[{"result": boxed, "updated_at": "1"}])
    replayed = restore(make_service(), box, point)
    assert replayed.masks == refined
    assert len(replayed.answers) == 2


def test_a_click_that_refined_an_accepted_mask_does_so_again(make_service: MakeService) -> None:
    server = make_service()
    accepted = ask(server, click(50, 50))
    shown = ask(server, click(55, 55), drafts=[{"result": accepted, "updated_at": "1"}])
    assert shown[0]["id"] == accepted[0]["id"]
    other = {"id": "other", "type": "choices", "from_name": "c", "value": {"choices": ["x"]}}
    replayed = restore(make_service(), *accepted, other, click(55, 55))
    assert replayed.result == [*shown, other]


@pytest.mark.parametrize("refine", ["off", "drafts", "annotations"])
def test_prompts_that_cannot_be_answered_stay(make_service: MakeService, refine: str) -> None:
    negative = click(50, 50, positive=False)
    replayed = restore(make_service(refine=refine), negative)
    assert replayed.result == [negative]
    assert replayed.answers == ()
    assert replayed.failures[0].code == "prompt_unusable"


def test_an_answer_stands_where_what_it_refines_stood() -> None:
    first, second, point = ({"id": name} for name in ("a", "b", "p"))
    new = [{"id": "a", "new": 1}, {"id": "a-2", "new": 1}]
    assert put_in_place([point, first, second], new, ["p"]) == [*new, second]
    assert put_in_place([point, second], new, ["p"]) == [second, *new]
    labelled = [{"id": "p", "type": "keypoint"}, {"id": "p", "type": "labels"}, second]
    assert put_in_place(labelled, new, ["p"]) == [second, *new]
