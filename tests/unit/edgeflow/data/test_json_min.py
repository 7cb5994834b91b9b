"""JSON_MIN gives the same objects as JSON, as far as it holds them.

The entries are written as label-studio-sdk's converter writes them (``convert_to_json_min``).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeflow.annotated import AnnotatedImage, mask_of
from edgeflow.data.drawn_tasks import TasksFile
from edgeflow.data.left_out import LeftOut
from edgeflow.export.reading.finder import Finder
from edgeflow.export.reading.tasks import annotations_of_tasks
from edgeflow.label_studio.config.label_config import parse_label_config
from tests.unit.edgeflow.data.making import FIRST, SECOND, pixels
from tests.unit.edgeflow.data.test_label_studio import bitmask, brush, polygon

CONFIG = parse_label_config(
    """<View><Image name="image" value="$image"/>
    <BrushLabels name="b" toName="image"><Label value="Cat"/><Label value="Dog"/></BrushLabels>
    <Labels name="l" toName="image"><Label value="Cat"/><Label value="Dog"/></Labels>
    <Brush name="p" toName="image"/></View>"""
)


def flat(result: dict[str, Any]) -> dict[str, Any]:
    sizes = {key: result[key] for key in ("original_width", "original_height")}
    return {**result["value"], **sizes}


def entry(task: int, annotation: int, annotator: int = 1, **controls: Any) -> dict[str, Any]:
    return {
        "image": "/data/upload/1/0a1b2c3d-a.jpg",
        "id": task,
        **controls,
        "annotator": annotator,
        "annotation_id": annotation,
        "created_at": "2026-01-01T00:00:00Z",
        "updated_at": "2026-01-01T00:00:00Z",
        "lead_time": 1.5,
    }


def read(folder: Path, *entries: Any, **more: Any) -> list[AnnotatedImage | LeftOut]:
    path = folder / "project.json"
    path.write_text(json.dumps(entries, indent=2))
    return list(annotations_of_tasks("p", TasksFile(path), CONFIG, Finder(), **more).images)


def drawn(image: AnnotatedImage | LeftOut) -> list[tuple[str | None, list[tuple[int, int]]]]:
    assert isinstance(image, AnnotatedImage)
    masks = [mask_of(each.shape) for each in image.objects]
    return [
        (each.label, pixels(mask.whole()))
        for each, mask in zip(image.objects, masks, strict=True)
        if mask is not None
    ]


def labelled(number: int, name: str) -> dict[str, Any]:
    value = flat(brush(number))
    return {**{key: each for key, each in value.items() if key != "brushlabels"}, "labels": [name]}


def plain(number: int) -> dict[str, Any]:
    value = labelled(number, "")
    del value["labels"]
    return value


def test_regions_of_each_annotation_are_read(tmp_path: Path) -> None:
    regions = [
        {**flat(brush(1)), "brushlabels": ["Cat"]},
        {**flat(brush(2)), "brushlabels": ["Dog"]},
    ]
    (image,) = read(tmp_path, entry(7, 3, b=regions))
    assert drawn(image) == [("Cat", FIRST), ("Dog", SECOND)]
    assert isinstance(image, AnnotatedImage)
    assert image.file_name == "0a1b2c3d-a.jpg"


def test_the_region_that_labels_repeat_is_one_object_with_their_label(tmp_path: Path) -> None:
    labels = [labelled(1, "Dog"), labelled(2, "Cat")]
    (image,) = read(tmp_path, entry(7, 3, l=labels, p=[plain(1), plain(2)]))
    assert drawn(image) == [("Dog", FIRST), ("Cat", SECOND)]


def test_two_equal_regions_stay_two_objects(tmp_path: Path) -> None:
    region = {**flat(brush(1)), "brushlabels": ["Cat"]}
    (image,) = read(tmp_path, entry(7, 3, b=[region, region]))
    assert drawn(image) == [("Cat", FIRST), ("Cat", FIRST)]


@pytest.mark.parametrize(
    "result", [bitmask(np.eye(4, 6, dtype=np.bool_)), polygon()], ids=["bitmask", "polygon"]
)
def test_other_shapes_are_told_by_their_values(tmp_path: Path, result: Any) -> None:
    (image,) = read(tmp_path, entry(7, 3, b=[flat(result)]))
    assert isinstance(image, AnnotatedImage)
    assert len(image.objects) == 1


def test_annotations_of_a_task_are_chosen_as_in_json(tmp_path: Path) -> None:
    entries = [
        entry(7, 4, 20, b=[{**flat(brush(2)), "brushlabels": ["Cat"]}]),
        entry(7, 3, 10, b=[{**flat(brush(1)), "brushlabels": ["Cat"]}]),
    ]
    for annotator, expected in (("first", FIRST), ("last", SECOND), ("20", SECOND)):
        left_out, image = read(tmp_path, *entries, annotator=annotator)
        assert left_out == LeftOut("further annotations of a task")
        assert drawn(image) == [("Cat", expected)]


def test_whatever_is_among_the_values_is_passed_over(tmp_path: Path) -> None:
    odd = [None, 5, "x", {"choices": ["a"]}, {"x": 5, "y": 5, "width": 0.5}, {"rle": "no"}]
    found = read(tmp_path, entry(7, 3, b=odd, choice="Yes"), entry(8, 4, b=[flat(brush(1))]))
    assert isinstance(found[-1], AnnotatedImage)


def test_which_of_several_images_a_region_is_on_is_not_guessed(tmp_path: Path) -> None:
    pages = entry(7, 3, b=[flat(brush(1))]) | {"image": ["a.jpg", "b.jpg"]}
    found = read(tmp_path, pages)
    assert LeftOut("a region whose item_index is 'not in JSON_MIN'", "task 7") in found
    assert not any(isinstance(each, AnnotatedImage) for each in found)
