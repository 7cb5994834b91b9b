from __future__ import annotations

from typing import Any

import pytest

from edgeflow.label_studio.values import JSONObject
from edgeflow_backend.calls.batch import BatchCall
from edgeflow_backend.protocol.config_check import RECOMMENDED
from edgeflow_backend.protocol.project import ProjectRef
from edgeflow_backend.service import SegmentationService
from edgeflow_backend.status.calls import Call
from tests.unit.conftest import MakeService
from tests.unit.edgeflow_backend.objects.test_found_prompts import AROUND_THE_DISK, task

PROJECT = ProjectRef("", "12")
BROKEN: JSONObject = {"image": "data:image/png;base64,AAAA"}


def ask(
    service: SegmentationService, *tasks: JSONObject, config: str = RECOMMENDED
) -> tuple[list[list[JSONObject]], Call]:
    """The answer, and what the status page says of it."""
    answer = BatchCall(service, PROJECT).answer(tasks, config)
    (call,) = service.journal.calls.recent()
    assert (call.project, call.kind) == ("12", "predictions")
    return answer, call


def test_one_empty_list_a_task_stores_nothing_and_says_why(service: SegmentationService) -> None:
    answer, call = ask(service, task(), task(AROUND_THE_DISK))
    assert answer == [[], []]
    assert (
        call.message == "0 of 2 tasks got a prediction: without a click there is nothing to cut out"
    )
    assert "EDGEFLOW_PREANNOTATE=true" in call.hint
    assert ask(service)[0] == []


def test_tasks_with_boxes_get_predictions_and_the_others_are_counted(
    make_service: MakeService,
) -> None:
    service = make_service(preannotate=True)
    answer, call = ask(service, task(), task(AROUND_THE_DISK))
    assert [len(predictions) for predictions in answer] == [0, 1]
    assert call.message.startswith("1 of 2 tasks got a prediction; the others hold no box")
    assert call.hint == ""
    answer, call = ask(service, task(AROUND_THE_DISK))
    assert call.message == "1 of 1 tasks got a prediction"


@pytest.mark.parametrize(
    ("changes", "config", "reason"),
    [
        ({"data": BROKEN}, RECOMMENDED, "1 of 2 tasks got a prediction; something failed, last: "),
        (
            {},
            "<View",
            "0 of 2 tasks got a prediction; something failed, last: the labelling config",
        ),
    ],
    ids=["image", "config"],
)
def test_what_failed_is_said_with_a_way_out(
    make_service: MakeService, changes: dict[str, Any], config: str, reason: str
) -> None:
    tasks = (task(AROUND_THE_DISK, **changes), task(AROUND_THE_DISK))
    answer, call = ask(make_service(preannotate=True), *tasks, config=config)
    assert len(answer) == 2
    assert call.message.startswith(reason)
    assert call.hint
