from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import ValidationError

from edgeflow_backend.errors import MalformedRequestError
from edgeflow_backend.protocol.prompts import ClickPrompt, parse_prompt
from edgeflow_backend.protocol.wire import KeyPoint, first_problem, parse_tasks
from tests.contract.wire import keypoint


class Untouchable(Mapping[str, Any]):
    """Drafts as they must be treated."""

    def _touched(self, *_: object) -> Any:
        raise AssertionError("drafts and annotations must not be looked at")

    __getitem__ = __len__ = __iter__ = __contains__ = get = _touched


def parsed(context: object, max_clicks: int = 100) -> ClickPrompt:
    prompt = parse_prompt(context, max_clicks=max_clicks)
    assert isinstance(prompt, ClickPrompt)
    return prompt


SECRET = "sEcReT-vAlUe"


def test_tasks_are_taken_as_they_are() -> None:
    tasks = [{"id": 1, "data": {"image": "x"}}, {"data": {}}]
    assert list(parse_tasks(tasks)) == tasks
    assert list(parse_tasks([])) == []


def test_drafts_and_annotations_are_never_looked_at() -> None:
    task = {"id": 1, "data": {}, "drafts": Untouchable(), "annotations": Untouchable()}
    assert list(parse_tasks([task])) == [task]
    context = {"result": [keypoint(1, 1)], "drafts": Untouchable(), "annotation": Untouchable()}
    assert len(parsed(context, 10).points) == 1


@pytest.mark.parametrize(
    "tasks",
    [None, {}, "text", 5, [None], [[]], ["text"], [{}], [{"data": None}], [{"data": "text"}]],
    ids=str,
)
def test_tasks_of_another_form_are_refused(tasks: object) -> None:
    with pytest.raises(MalformedRequestError, match="tasks"):
        parse_tasks(tasks)


def test_a_description_has_the_place_and_not_the_value() -> None:
    with pytest.raises(ValidationError) as caught:
        KeyPoint.model_validate({**keypoint(1, 1), "is_positive": SECRET})
    text = first_problem(caught.value)
    assert text.startswith("is_positive: ")
    assert SECRET not in text
