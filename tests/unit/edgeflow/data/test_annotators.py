"""Whose annotation of a task counts."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from edgeflow.agreement.consensus import METHODS
from edgeflow.data.annotators import ALL, FIRST, LAST, VOTES, choose_annotations

ANNOTATIONS = [
    {"id": 1, "completed_by": 7, "was_cancelled": True, "result": [1]},
    {"id": 2, "completed_by": {"id": 8, "email": "b@example.com"}, "result": [2]},
    {"id": 3, "completed_by": 9, "result": [3]},
    {"id": 4, "completed_by": 9, "result": [4]},
]


@pytest.mark.parametrize(
    ("annotator", "result"),
    [
        (FIRST, [2]),
        (LAST, [4]),
        ("8", [2]),
        ("b@example.com", [2]),
        ("9", [4]),
        ("7", None),
        ("nobody", None),
    ],
)
def test_one_annotation_of_a_task_counts_and_the_others_are_told(
    annotator: str, result: Any
) -> None:
    chosen = choose_annotations({"annotations": ANNOTATIONS}, "task 1", annotator)
    assert [each.results for each in chosen.annotations] == ([result] if result else [])
    told = sorted(each.reason for each in chosen.left_out)
    others = 2 if result else 3
    assert told == ["cancelled annotations", *["further annotations of a task"] * others]


@pytest.mark.parametrize("annotator", [FIRST, LAST, *VOTES])
def test_a_ground_truth_comes_first(annotator: str) -> None:
    annotations = copy.deepcopy(ANNOTATIONS)
    annotations[2]["ground_truth"] = True
    (chosen,) = choose_annotations({"annotations": annotations}, "", annotator).annotations
    assert chosen.results == [3]


def test_drafts_and_predictions_are_told() -> None:
    raw = {"annotations": [], "drafts": [{}, {}], "predictions": [{"result": []}, 7]}
    told = [each.reason for each in choose_annotations(raw, "").left_out]
    assert told == ["drafts", "drafts", "predictions"]


def names(*annotations: Any, annotator: str = ALL) -> list[tuple[int, str]]:
    chosen = choose_annotations({"annotations": list(annotations)}, "task 1", annotator)
    return [(each.number, each.by) for each in chosen.annotations]


def made(number: Any, by: Any) -> dict[str, Any]:
    return {"id": number, "completed_by": by, "result": []}


def test_all_annotations_count_but_cancelled_ones_and_each_has_its_annotators_number() -> None:
    chosen = choose_annotations({"annotations": ANNOTATIONS}, "task 1", ALL)
    assert [each.results for each in chosen.annotations] == [[2], [3], [4]]
    assert [each.by for each in chosen.annotations] == ["by8", "by9-3", "by9-4"]
    assert [each.reason for each in chosen.left_out] == ["cancelled annotations"]


@pytest.mark.parametrize(
    ("by", "name"),
    [
        (7, "by7"),
        ("7", "by7"),
        ({"id": 7, "email": "a@b.example"}, "by7"),
        ({"email": "a@b.example"}, "annotation3"),
        ("a@b.example", "annotation3"),
        (None, "annotation3"),
        (True, "annotation3"),
        ("../x", "annotation3"),
        ("٣", "annotation3"),
        ("7" * 40, "annotation3"),
    ],
    ids=str,
)
def test_no_name_and_no_address_leaves_the_task(by: Any, name: str) -> None:
    assert names(made(3, by)) == [(3, name)]


@pytest.mark.parametrize("number", [None, "x", -1, 5], ids=str)
def test_numbers_and_names_are_unique_whatever_the_ids_are(number: Any) -> None:
    some = names(made(number, 7), made(number, 7), made(5, "x"), made(6, 8))
    assert len({number for number, _ in some}) == len({name for _, name in some}) == 4


@pytest.mark.parametrize("annotator", VOTES)
def test_each_annotator_has_one_vote(annotator: str) -> None:
    """The last annotation of each; who is not known is somebody of their own."""
    some = [made(1, 7), made(2, 8), made(3, 7), made(4, None), made(5, None)]
    assert [number for number, _ in names(*some, annotator=annotator)] == [2, 3, 4, 5]


def test_there_is_a_method_for_each_kind_of_vote() -> None:
    assert set(VOTES) == set(METHODS)
