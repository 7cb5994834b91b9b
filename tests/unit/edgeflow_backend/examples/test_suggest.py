from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from edgeflow.label_studio.brush_rle import decode_brush
from edgeflow_backend.calls.batch import BatchCall
from edgeflow_backend.model import EdgeFlowBackend
from edgeflow_backend.protocol.project import ProjectRef
from edgeflow_backend.service import SegmentationService
from tests.contract.wire import JSONObject, keypoint
from tests.unit.edgeflow_backend.examples.studio import (
    CENTRES,
    CONFIG,
    PROJECT,
    SIZE,
    Studio,
    disk,
    region,
    sheet,
)

Make = Callable[..., SegmentationService]
REF = ProjectRef("", str(PROJECT))
DISKS = range(len(CENTRES))
PATIENT = {"similar_seconds": 30.0, "preannotate_similar_s": 60.0}
"""On a busy machine, too, a search comes to its end."""


def ask(
    service: SegmentationService, *tasks: JSONObject, config: str = CONFIG
) -> list[list[JSONObject]]:
    """What Label Studio gets for a list of tasks, as it sends them: without drafts."""
    sent = [{key: value for key, value in task.items() if key != "drafts"} for task in tasks]
    return BatchCall(service, REF).answer(sent, config)


def suggested(predictions: list[JSONObject]) -> dict[int, JSONObject]:
    """The regions of the only prediction, if there is one, by the disks that they show."""
    found = {}
    for each in predictions[0]["result"] if predictions else []:
        mask = decode_brush(bytes(each["value"]["rle"]), SIZE) > 0
        overlaps = [
            np.count_nonzero(mask & disk(n)) / np.count_nonzero(mask | disk(n)) for n in DISKS
        ]
        assert max(overlaps) > 0.8
        found[int(np.argmax(overlaps))] = each
    return found


def said(service: SegmentationService) -> str:
    """What the status page says of the last batch call."""
    call = next(call for call in service.journal.calls.recent() if call.kind == "predictions")
    return f"{call.message} | {call.hint}"


def test_a_task_with_accepted_masks_gets_the_others_with_scores_none_on_another(
    make: Make, studio: Studio
) -> None:
    service = make(**PATIENT)
    task = studio.add(sheet(), region(0), region(4))
    (predictions,) = ask(service, task)
    found = suggested(predictions)
    assert sorted(found) == [1, 2, 3, 5]
    for each in found.values():
        assert (each["from_name"], each["to_name"], each["type"]) == (
            "mask",
            "image",
            "brushlabels",
        )
        assert each["value"]["brushlabels"] == ["disk"]
        assert 0.5 < each["score"] <= 1
    scores = [each["score"] for each in found.values()]
    assert predictions[0]["score"] == pytest.approx(np.mean(scores))
    assert predictions[0]["model_version"] == service.model_version
    assert len({each["id"] for each in found.values()}) == 4
    masks = [decode_brush(bytes(r["value"]["rle"]), SIZE) > 0 for r in found.values()]
    assert np.sum([*masks, disk(0), disk(4)], axis=0).max() == 1
    assert said(service) == "1 of 1 tasks got a prediction | "


def test_examples_of_other_tasks_answer_whole_lists_and_keep_their_ids(
    make: Make, studio: Studio
) -> None:
    studio.add(sheet(), *map(region, DISKS))
    tasks = [studio.add(sheet(1)), studio.add(sheet(2, disks=3))]
    service = make(**PATIENT)
    answers = ask(service, *tasks)
    assert [sorted(suggested(each)) for each in answers] == [[0, 1, 2, 3, 4, 5], [0, 1, 2]]
    again = make(**PATIENT)  # after a restart
    assert ask(again, tasks[1]) == answers[1:]
    assert len(studio.asked("/annotations/")) == 1


def test_after_the_annotation_is_deleted_there_is_nothing_to_go_by(
    make: Make, studio: Studio
) -> None:
    annotated, other = studio.add(sheet(), region(0)), studio.add(sheet(1))
    service = make(**PATIENT)
    assert suggested(ask(service, other)[0])
    studio.delete(annotated)
    assert ask(service, other) == [[]]
    assert "the others hold nothing that resembles an accepted example" in said(service)


def test_drafts_hold_examples_and_what_they_hold_is_not_suggested(
    make: Make, studio: Studio
) -> None:
    task = studio.add(sheet(), region(1))
    studio.draft(task, region(1), region(2))  # of the annotation, going on with it
    assert sorted(suggested(ask(make(**PATIENT), task)[0])) == [0, 3, 4, 5]


def test_what_fits_two_labels_as_well_gets_none(make: Make, studio: Studio) -> None:
    annotated = studio.add(sheet(), region(0), region(1, "other"))
    other = studio.add(sheet(1, disks=3))
    service = make(**PATIENT)
    assert ask(service, other) == [[]]
    studio.change(annotated, region(0, "other"))
    found = suggested(ask(service, other)[0])
    assert {tuple(each["value"]["brushlabels"]) for each in found.values()} == {("other",)}


@pytest.mark.parametrize(
    "config",
    [CONFIG.replace('"mask"', '"brush"'), CONFIG.replace('<Label value="disk"/>', "")],
    ids=["no control", "no label"],
)
def test_what_the_labelling_config_cannot_hold_any_more_is_not_sought(
    make: Make, studio: Studio, config: str
) -> None:
    studio.add(sheet(), region(0))
    service = make(**PATIENT)
    assert ask(service, studio.add(sheet(1)), config=config) == [[]]


def test_boxes_in_the_task_are_answered_first_and_their_masks_are_taken(
    make: Make, studio: Studio
) -> None:
    studio.add(sheet(), region(0))
    x, y = CENTRES[2]
    box = {"x": x - 25, "y": y - 25, "width": 50, "height": 50}
    percent = {
        key: value * 100 / (SIZE.width if key in ("x", "width") else SIZE.height)
        for key, value in box.items()
    }
    prediction = {
        "id": "b",
        "type": "rectanglelabels",
        "from_name": "box",
        "to_name": "image",
        "original_width": SIZE.width,
        "original_height": SIZE.height,
        "value": {**percent, "rotation": 0, "rectanglelabels": ["disk"]},
    }
    task = {**studio.add(sheet(1, disks=3)), "predictions": [{"id": 1, "result": [prediction]}]}
    config = CONFIG.replace("</View>", '<RectangleLabels name="box" toName="image"/></View>')
    (predictions,) = ask(make(preannotate=True, **PATIENT), task, config=config)
    masks = [decode_brush(bytes(r["value"]["rle"]), SIZE) > 0 for r in predictions[0]["result"]]
    assert len(masks) == 3
    assert np.sum(masks, axis=0).max() == 1


def test_a_suggestion_is_refined_by_a_click_like_any_other_mask(make: Make, studio: Studio) -> None:
    studio.add(sheet(), region(0))
    other = studio.add(sheet(1, disks=3))
    service = make(refine="drafts", **PATIENT)
    found = suggested(ask(service, other)[0])
    accepted = {**other, "drafts": [{"result": list(found.values()), "updated_at": "2026"}]}
    x, y = CENTRES[1]
    at = {"x": x * 100 / SIZE.width, "y": (y - 15) * 100 / SIZE.height}
    size = {"original_width": SIZE.width, "original_height": SIZE.height}
    click = {**keypoint(at["x"], at["y"], positive=False), **size}
    click |= {"type": "keypoint", "from_name": "click", "value": {**at, "labels": []}}
    (answer,) = EdgeFlowBackend(service=service).predict(
        [accepted], context={"result": [click]}, label_config=CONFIG, project=REF
    )
    assert [each["id"] for each in answer["result"]] == [found[1]["id"]]


def test_what_there_is_no_time_for_is_told(make: Make, studio: Studio) -> None:
    studio.add(sheet(), region(0))
    service = make(preannotate_similar_s=0.001)
    assert ask(service, studio.add(sheet(1)), studio.add(sheet(2))) == [[], []]
    assert "there was no time to search 2 tasks" in said(service)
    assert "retrieve predictions again" in said(service)


def test_a_search_that_is_cut_short_is_told(make: Make, studio: Studio) -> None:
    studio.add(sheet(), region(0))
    service = make(similar_limit=1, **PATIENT)
    (predictions,) = ask(service, studio.add(sheet(1)))
    assert len(suggested(predictions)) == 1
    assert "cut short" in said(service)


def test_it_is_off_by_default_and_asks_nobody(make: Make, studio: Studio) -> None:
    task = studio.add(sheet(), region(0))
    service = make(preannotate_similar=False)
    assert ask(service, task) == [[]]
    service.examples.note("ANNOTATION_CREATED", REF)
    assert "EDGEFLOW_PREANNOTATE_SIMILAR=true" in said(service)
    assert studio.asked("/api/tasks") == []


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"label_studio_api_key": ""}, "no token is set | set LABEL_STUDIO_API_KEY"),
        ({"label_studio_api_key": "wrong"}, "HTTP 401"),
    ],
)
def test_without_label_studios_word_nothing_is_suggested_and_why_is_said(
    make: Make, studio: Studio, changes: dict[str, Any], reason: str
) -> None:
    task = studio.add(sheet(), region(0))
    service = make(**changes)
    assert ask(service, task) == [[]]
    assert reason in said(service)


def test_without_a_token_it_is_said_before_anybody_asks(make: Make) -> None:
    (call,) = make(label_studio_api_key="").journal.calls.recent()
    assert call.message == "no examples are used: no token is set"
    assert call.hint == "set LABEL_STUDIO_API_KEY"
    assert make().journal.calls.recent() == []


def test_a_task_without_an_id_is_told(make: Make, studio: Studio) -> None:
    task = {**studio.add(sheet(), region(0)), "id": None}
    service = make(**PATIENT)
    assert ask(service, task) == [[]]
    assert "the task has no id" in said(service)


def test_one_broken_image_stops_no_list(make: Make, studio: Studio) -> None:
    studio.add(sheet(), region(0))
    broken, fine = studio.add("data:image/png;base64,AAAA"), studio.add(sheet(1, disks=2))
    service = make(**PATIENT)
    first, second = ask(service, broken, fine)
    assert first == []
    assert sorted(suggested(second)) == [0, 1]
    assert "something failed, last: " in said(service)


def test_a_task_that_is_asked_for_twice_at_once_is_answered_once(
    make: Make, studio: Studio
) -> None:
    """As when it is opened in the editor: Label Studio would store both answers."""
    studio.add(sheet(), region(0))
    other = studio.add(sheet(1, disks=2))
    service = make(**PATIENT)
    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(lambda _: ask(service, other), range(2)))
    assert sorted(len(predictions) for (predictions,) in answers) == [0, 1]
    assert "1 task asked for twice at once, answered once" in said(service)
    assert len(suggested(ask(service, other)[0])) == 2
