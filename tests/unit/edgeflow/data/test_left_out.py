"""What an export holds beside objects is left out and told, and costs nothing else."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeflow.data.label_studio import LabelStudio
from edgeflow.data.left_out import SHOWN, LeftOut, left_out_lines
from tests.unit.edgeflow.data.making import (
    FIRST,
    SECOND,
    TWO_OBJECTS,
    image_file,
    objects,
    put,
    put_json,
)
from tests.unit.edgeflow.data.test_label_studio import bitmask, brush, polygon, region, task
from tests.unit.edgeflow_backend.mutations import mutated

POINT = {"x": 20.0, "y": 30.0, "width": 0.5}
CONFIG = '<View><Image name="image" value="$image"/></View>'


def export(folder: Path, *tasks: Any) -> LabelStudio:
    put(folder, {f"images/{name}.jpg": image_file() for name in "ab"})
    return LabelStudio(put_json(folder / "e.json", list(tasks)))


@pytest.mark.parametrize(
    "left_over",
    [
        region("keypointlabels", {**POINT, "keypointlabels": ["Cat"]}),
        region("keypoint", POINT),
        region("brushlabels", {**POINT, "brushlabels": ["Cat"]}),
        region("polygonlabels", {**POINT, "polygonlabels": ["Cat"]}),
        region("bitmask", POINT),
        region("ellipse", {"x": 5, "y": 5, "radiusX": 2, "radiusY": 2, "rotation": 0}),
        region("rectangle", {"x": 5, "y": 5, "width": 2, "height": 2, "rotation": 0}),
        region("vector", {"vertices": []}),
        region("choices", {"choices": ["day"]}),
        region("textarea", {"text": ["a cat"]}),
        region("something new", {"a": 1}),
        region("labels", {"labels": ["Cat"]}, id="gone"),
        region("labels", None, id="gone"),
        {"type": "relation", "from_id": "a", "to_id": "b", "direction": "right"},
        brush(9),
    ],
    ids=lambda each: f"{each['type']}-{'-'.join(map(str, each.get('value') or ()))}",
)
def test_what_never_was_a_mask_is_counted_and_not_called_a_fault(
    tmp_path: Path, left_over: Any
) -> None:
    dataset = export(tmp_path, task(1, left_over, brush(1)), task(2, brush(2), image="b.jpg"))
    assert (objects(dataset), objects(dataset, 1)) == ([FIRST], [SECOND])
    told = [*dataset.left_out, *dataset[0].left_out]
    assert [each.fault for each in told] == [""]
    assert told[0].reason


def test_labels_of_a_region_and_of_a_point_are_no_further_results(tmp_path: Path) -> None:
    drawn = {**brush(1), "type": "brush", "id": "a"}
    labels = [region("labels", {"labels": ["Cat"]}, id=key) for key in "ab"]
    dataset = export(tmp_path, task(1, drawn, region("keypoint", POINT, id="b"), *labels))
    assert [each.reason for each in dataset.left_out] == ["results of type 'keypoint'"]


@pytest.mark.parametrize("annotations", [None, 7, "x", {}, [], [None], [[]]])
def test_a_task_without_annotations_costs_only_itself(tmp_path: Path, annotations: Any) -> None:
    bare = {**task(1, brush(1)), "annotations": annotations}
    assert export(tmp_path, bare, 7, None, task(2, brush(2))).sample_names == ("a",)


@pytest.mark.parametrize("result", [None, 7, "x", {}])
def test_an_annotation_without_result_is_named(tmp_path: Path, result: Any) -> None:
    bare = {**task(31), "annotations": [{"result": result}]}
    dataset = export(tmp_path, bare, task(2, brush(2)))
    assert [each.fault for each in dataset.left_out] == ["task 31"]


def test_a_polygon_that_was_not_closed_is_named(tmp_path: Path) -> None:
    unfinished = polygon()
    unfinished["value"]["closed"] = False
    dataset = export(tmp_path, task(31, unfinished, brush(1)))
    assert objects(dataset) == [FIRST]
    assert [each.fault for each in dataset.left_out] == ["task 31"]


def test_faults_are_named_one_by_one_up_to_a_limit_and_the_rest_is_counted() -> None:
    faults = [LeftOut("torn", f"task {number}") for number in range(SHOWN + 3)]
    assert left_out_lines([]) == []
    lines = left_out_lines([LeftOut("points"), *faults, LeftOut("texts"), LeftOut("points")])
    assert lines[0] == "left out: points (2), texts (1)"
    assert lines[1] == f"warning: {SHOWN + 3} could not be read:"
    assert lines[2] == "  task 0: torn"
    assert lines[-1] == "  … and 3 more"
    assert len(lines) == 2 + SHOWN + 1


RICH = task(
    31,
    brush(1),
    polygon(id="p"),
    bitmask(TWO_OBJECTS == 2),
    {**brush(2), "type": "brush", "id": "c"},
    region("labels", {"labels": ["Cat"]}, id="c"),
    region("rectanglelabels", {"x": 0, "y": 0, "width": 50, "height": 50, "rotation": 10}),
    region("keypointlabels", {**POINT, "keypointlabels": ["Cat"]}),
    region("brush", {"touches": [{"type": "add", "relativePoints": [1, 1, 50, 50],
                                  "relativeStrokeWidth": 9}]}),
)  # fmt: skip
"""A task with a region of every kind."""


def fuzz(folder: Path, seed: int, rounds: int) -> None:
    """Mutate what one task's annotations hold: the other task's sample stays as it is."""
    chance = random.Random(seed)
    put(folder, {f"images/{name}.jpg": image_file() for name in "ab"})
    (folder / "config.xml").write_text(CONFIG, encoding="utf-8")
    sound = task(32, brush(2), image="b.jpg")
    for _ in range(rounds):
        annotations = mutated(RICH["annotations"], chance)
        path = put_json(folder / "e.json", [{**RICH, "annotations": annotations}, sound])
        dataset = LabelStudio(path, label_config=folder / "config.xml")
        left_out = list(dataset.left_out)
        for index, name in enumerate(dataset.sample_names):
            sample = dataset[index]
            left_out += sample.left_out
            assert all(mask.any() and mask.dtype == np.bool_ for mask in sample.objects)
            if name == "b":
                assert objects(dataset, index) == [SECOND]
                assert sample.labels == ("Cat",)
        assert "b" in dataset.sample_names
        assert {each.fault for each in left_out} <= {"", "task 31"}
        left_out_lines(left_out)


@pytest.mark.parametrize("seed", range(4))
def test_whatever_an_annotation_holds_no_other_task_is_lost(tmp_path: Path, seed: int) -> None:
    fuzz(tmp_path, seed, 100)
