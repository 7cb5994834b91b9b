from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgeflow.label_studio.api.records import Project
from edgeflow.label_studio.values import JSONObject
from edgeflow_backend.label_studio.projects import Unknown
from edgeflow_backend.objects.predictions import copied_prediction
from tests.unit.edgeflow_backend.objects.test_refine import CLICKS, Make, by_hand, make, point
from tests.unit.edgeflow_backend.samples import disk

__all__ = ["make"]  # a fixture

MUTE = Unknown("")


def prediction(key: int, version: str | None, **more: Any) -> JSONObject:
    return {"id": key, "model_version": version, "result": [], **more}


def project(version: str = "", *, shows: bool | None = True) -> Project:
    return Project(1, "", "", 1, version, shows)


A1, A2, B3 = prediction(1, "a"), prediction(2, "a"), prediction(3, "b")


@pytest.mark.parametrize(
    ("told", "held", "copied"),
    [
        (project("a"), [A1, B3], A1),
        (project("b"), [A1, B3], B3),
        (project("a"), [A1, A2, B3], A2),
        (project("EdgeFlow"), [A1, B3], B3),
        (project(""), [B3, A1], B3),
        (project("", shows=None), [A1], A1),
        (project("a", shows=False), [A1], None),
        (project("a"), [], None),
        (MUTE, [A1, A2], A2),
        (MUTE, [A1, B3], None),
        (MUTE, [prediction(1, None)], prediction(1, None)),
    ],
)
def test_the_prediction_is_the_one_that_label_studio_copies(
    told: Project | Unknown, held: list[JSONObject], copied: JSONObject | None
) -> None:
    assert copied_prediction({"predictions": held}, told) == copied


@pytest.mark.parametrize(
    "held", [{"drafts": [{}]}, {"annotations": [{}]}, {"annotations": [{"was_cancelled": True}]}]
)
def test_a_draft_or_an_annotation_is_what_the_editor_shows_instead(held: JSONObject) -> None:
    assert copied_prediction({"predictions": [A1], **held}, project()) is None


@pytest.mark.parametrize("held", [None, 3, [3], [{"id": "x"}], {}])
def test_predictions_of_another_form_are_no_error(held: object) -> None:
    copied_prediction({"predictions": held}, project())
    copied_prediction({"predictions": held}, MUTE)


@pytest.mark.parametrize("overlap", [1, 2])
def test_a_click_on_a_predicted_mask_refines_it_for_everybody(make: Make, overlap: int) -> None:
    drawn = by_hand(disk())
    held = [{"id": 1, "model_version": "a", "result": [drawn]}]
    negative = point(50, 50, "n", positive=False)
    region = make(overlap=overlap).ask(negative, predictions=held)
    assert region["id"] == "by-hand"
    assert not np.array_equal(region["value"]["rle"], drawn["value"]["rle"])
    elsewhere = make(overlap=overlap, refine="drafts").ask(CLICKS[0], predictions=held)
    assert elsewhere["id"] == "by-hand"
    assert make(refine="off").ask(CLICKS[0], predictions=held)["id"] != "by-hand"
