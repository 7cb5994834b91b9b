from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edgeflow.data.base import DatasetError
from edgeflow.data.label_studio import LabelStudio
from edgeflow.data.task_images import image_names
from edgeflow.label_studio.brush_rle import encode_brush
from tests.unit.edgeflow.data.making import (
    FIRST,
    SECOND,
    TWO_OBJECTS,
    image_file,
    objects,
    pixels,
    put,
    put_json,
)

SQUARE = [[100 / 6, 25], [50, 25], [50, 75], [100 / 6, 75]]
"""Around FIRST, in percent of 6×4."""


def region(kind: str, value: Any, **more: Any) -> dict[str, Any]:
    return {
        "id": "r1",
        "type": kind,
        "from_name": "tag",
        "to_name": "image",
        "original_width": 6,
        "original_height": 4,
        "image_rotation": 0,
        "value": value,
        **more,
    }


def brush(label: int, **more: Any) -> dict[str, Any]:
    code = list(encode_brush(np.uint8(label) == TWO_OBJECTS))
    return region("brushlabels", {"format": "rle", "rle": code, "brushlabels": ["Cat"]}, **more)


def polygon(points: Any = SQUARE, **more: Any) -> dict[str, Any]:
    value = {"points": points, "closed": True, "polygonlabels": ["Cat"]}
    return region("polygonlabels", value, **more)


def bitmask(mask: Any) -> dict[str, Any]:
    rgba = np.zeros((*mask.shape, 4), dtype=np.uint8)
    rgba[mask] = (10, 20, 30, 255)
    buffer = io.BytesIO()
    Image.fromarray(rgba).save(buffer, "PNG")
    url = "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
    return region("bitmasklabels", {"imageDataURL": url, "bitmasklabels": ["Cat"]})


def task(
    number: int, *results: Any, image: Any = "/data/upload/1/0a1b2c3d-a.jpg", **more: Any
) -> dict[str, Any]:
    annotation = {"id": number, "was_cancelled": False, "result": list(results)}
    return {"id": number, "data": {"image": image}, "annotations": [annotation], **more}


def export(folder: Path, *tasks: Any) -> LabelStudio:
    put(folder, {"images/a.jpg": image_file(), "images/b.jpg": image_file()})
    return LabelStudio(put_json(folder / "project-1.json", list(tasks)))


def test_brushes_polygons_and_bitmasks_are_objects_in_their_order(tmp_path: Path) -> None:
    dataset = export(tmp_path, task(5, brush(2), polygon(), bitmask(TWO_OBJECTS == 2)))
    assert LabelStudio.recognise(tmp_path / "project-1.json")
    assert (dataset.name, dataset.sample_names) == ("project-1", ("a",))
    assert objects(dataset) == [SECOND, FIRST, SECOND]
    assert dataset[0].ignore is None


def test_controls_without_labels_are_read_too(tmp_path: Path) -> None:
    shape = {**brush(1), "type": "brush"}
    labels = {**brush(1), "type": "labels"}
    assert objects(export(tmp_path, task(1, shape, labels))) == [FIRST]


def test_labels_are_those_of_the_regions(tmp_path: Path) -> None:
    dog = polygon()
    dog["value"]["polygonlabels"] = ["Dog", "Puppy"]
    bare = {**brush(1), "type": "brush", "id": "bare"}
    results = [brush(9), brush(2), dog, bitmask(TWO_OBJECTS == 1), bare]
    assert export(tmp_path, task(1, *results))[0].labels == ("Cat", "Dog", "Cat", None)


def test_a_label_may_be_a_result_of_its_own_with_the_regions_id(tmp_path: Path) -> None:
    shapes = [{**brush(number), "type": "brush", "id": f"r{number}"} for number in (1, 2)]
    names = [region("labels", {"labels": [f"n{number}"]}, id=f"r{number}") for number in (2, 1)]
    assert export(tmp_path, task(1, *shapes, *names))[0].labels == ("n1", "n2")


@pytest.mark.parametrize("labels", [None, [], "Cat", {"a": 1}])
def test_labels_of_another_form_are_none(tmp_path: Path, labels: Any) -> None:
    drawn = brush(1)
    drawn["value"]["brushlabels"] = labels
    assert export(tmp_path, task(1, drawn))[0].labels == (None,)


def test_what_has_no_exact_outline_is_left_out(tmp_path: Path) -> None:
    box = region("rectanglelabels", {"x": 0, "y": 0, "width": 50, "height": 50, "rotation": 0})
    ellipse = region("ellipselabels", {"x": 50, "y": 50, "radiusX": 20, "radiusY": 20})
    choice = {"type": "choices", "value": {"choices": ["day"]}, "from_name": "c", "to_name": "i"}
    assert objects(export(tmp_path, task(1, box, ellipse, choice, brush(1)))) == [FIRST]
    with pytest.raises(DatasetError, match="no annotated image"):
        export(tmp_path, task(1, box, ellipse, choice))


def test_empty_regions_are_dropped(tmp_path: Path) -> None:
    assert objects(export(tmp_path, task(1, brush(9), polygon([[0, 0], [1, 1]]), brush(1)))) == [
        FIRST
    ]


def test_the_first_annotation_that_is_not_cancelled_counts(tmp_path: Path) -> None:
    annotated = task(1)
    annotated["annotations"] = [
        {"was_cancelled": True, "result": [brush(2)]},
        {"was_cancelled": False, "result": [brush(1)]},
        {"was_cancelled": False, "result": [brush(2), brush(2)]},
    ]
    assert objects(export(tmp_path, annotated)) == [FIRST]


def test_tasks_without_anything_drawn_are_left_out_images_and_all(tmp_path: Path) -> None:
    cancelled = task(2, brush(1), image="gone.jpg")
    cancelled["annotations"][0]["was_cancelled"] = True
    predicted = task(3, image="gone.jpg", predictions=[{"result": [brush(1)]}])
    dataset = export(tmp_path, cancelled, predicted, task(4, brush(1), image="b.jpg"))
    assert dataset.sample_names == ("b",)


def test_two_tasks_of_one_image_have_names_of_their_own(tmp_path: Path) -> None:
    dataset = export(tmp_path, task(8, brush(1)), task(9, brush(2)))
    assert dataset.sample_names == ("a", "a-9")
    assert objects(dataset, 1) == [SECOND]


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        (
            "/data/upload/1/0a1b2c3d-a.jpg",
            ["data/upload/1/0a1b2c3d-a.jpg", "upload/1/0a1b2c3d-a.jpg", "1/0a1b2c3d-a.jpg",
             "0a1b2c3d-a.jpg", "a.jpg"],
        ),
        ("/data/local-files/?d=x%20y/a.jpg", ["x y/a.jpg", "a.jpg"]),
        ("/data/local-files/?d=x\\a.jpg", ["x/a.jpg", "a.jpg"]),
        ("https://host/a%20b.JPG?token=1#x", ["a b.JPG"]),
        ("s3://bucket/dir/a.png", ["dir/a.png", "a.png"]),
        ("a.jpg", ["a.jpg"]),
        ("/data/local-files/?d=../../etc/a.jpg", ["etc/a.jpg", "a.jpg"]),
        ("x/../a.jpg", ["a.jpg"]),
        ("..", []),
        ("/etc/passwd", []),
        ("https://host/", []),
        ("http://[bad/a.jpg", []),
        ("some words", []),
        ("", []),
    ],
)  # fmt: skip
def test_images_are_looked_for_by_the_end_of_their_location(
    location: str, expected: list[str]
) -> None:
    assert image_names(location) == expected


def test_images_in_folders_are_told_apart(tmp_path: Path) -> None:
    put(
        tmp_path / "p",
        {"x/a.jpg": image_file(), "y/a.jpg": image_file(), "0a1b2c3d-a.jpg": image_file()},
    )
    tasks = [
        task(1, brush(1), image="/data/local-files/?d=root/x/a.jpg"),
        task(2, brush(1), image="s3://bucket/y/a.jpg"),
        task(3, brush(1)),
    ]
    path = put_json(tmp_path / "e.json", tasks)
    names = LabelStudio(path, images=tmp_path / "p").sample_names
    assert names == ("x/a", "y/a", "0a1b2c3d-a")


def test_the_image_is_found_under_any_key(tmp_path: Path) -> None:
    annotated = task(1, brush(1))
    annotated["data"] = {
        "n": 3,
        "page": "readme.txt",
        "inline": "data:image/a.jpg",
        "photo": "b.jpg",
    }
    assert export(tmp_path, annotated).sample_names == ("b",)


def test_images_that_are_not_found_are_counted_and_named(tmp_path: Path) -> None:
    tasks = [task(n, brush(1), image=f"https://host/{n}.jpg") for n in range(7)]
    with pytest.raises(DatasetError, match=r"7 \('https://host/0\.jpg', .*, …\)") as caught:
        export(tmp_path, task(9, brush(1)), *tasks)
    assert "--images" in caught.value.hint


def test_an_image_of_another_size_is_refused(tmp_path: Path) -> None:
    dataset = export(tmp_path, task(1, brush(1)))
    put(tmp_path, {"images/a.jpg": image_file(5, 5)})
    with pytest.raises(DatasetError, match=r"a\.jpg has 5×5 pixels, .*project-1 has 6×4"):
        dataset[0]


@pytest.mark.parametrize("first", [0, 1])
def test_a_region_for_another_size_than_the_image_is_left_out(tmp_path: Path, first: int) -> None:
    regions = [brush(1), polygon(original_width=7), polygon(original_width=7)]
    sample = export(tmp_path, task(1, *regions[first:], *regions[:first]))[0]
    assert [pixels(mask) for mask in sample.objects] == [FIRST]
    assert {(each.fault, "7×4" in each.reason) for each in sample.left_out} == {("task 1", True)}


@pytest.mark.parametrize(
    "broken",
    [
        region("brushlabels", {"rle": [0, 0, 0]}),
        region("brushlabels", {"rle": list(encode_brush(np.ones((3, 3), dtype=np.bool_)))}),
        region("bitmask", {"imageDataURL": "data:image/png;base64,AAAA"}),
        bitmask(np.ones((3, 3), dtype=np.bool_)),
    ],
)
def test_a_damaged_mask_is_left_out_and_named_when_it_is_read(tmp_path: Path, broken: Any) -> None:
    sample = export(tmp_path, task(31, broken, brush(1)))[0]
    assert [pixels(mask) for mask in sample.objects] == [FIRST]
    assert [each.fault for each in sample.left_out] == ["task 31"]


@pytest.mark.parametrize(
    "broken",
    [
        7,
        {},
        {"type": 7},
        region("brushlabels", None),
        region("brushlabels", {}),
        region("brushlabels", {"rle": 10**10}),
        region("brushlabels", {"rle": "abc"}),
        region("brushlabels", {"rle": [256]}),
        region("brushlabels", {"rle": [-1]}),
        region("brushlabels", {"rle": [[1]]}),
        region("bitmask", {"imageDataURL": 7}),
        region("bitmask", {"imageDataURL": "https://host/a.png"}),
        region("bitmask", {"imageDataURL": "data:image/png;base64,???"}),
        polygon(None),
        polygon("abc"),
        polygon([]),
        polygon([[1, 2, 3]]),
        polygon([[1, 2], [3]]),
        polygon([["a", "b"]]),
        polygon([[1e300, 0], [0, 0], [1, 1]]),
        polygon([[None, 0], [0, 0], [1, 1]]),
        polygon([{"x": 1, "y": 2}]),
        brush(1, item_index="x"),
        brush(1, item_index=-1),
        brush(1, item_index=1),
        brush(1, original_width=10**6, original_height=10**6),
    ],
)
def test_a_region_of_another_form_is_left_out_and_named(tmp_path: Path, broken: Any) -> None:
    dataset = export(tmp_path, task(31, broken, brush(2)))
    assert objects(dataset) == [SECOND]
    assert [each.fault for each in dataset.left_out] == ["task 31"]
    with pytest.raises(DatasetError, match="task 31"):
        export(tmp_path, task(31, broken))


@pytest.mark.parametrize(
    "tasks",
    [
        {"a": 1},
        [7],
        [{"id": 1, "image": "a.jpg", "tag": [{"rle": [1]}]}],
        [{"id": 1, "data": {}, "annotations": 7}],
        [{"id": 1, "data": {}, "annotations": [{"result": 7}]}],
        [],
    ],
)
def test_files_of_another_form_are_refused(tmp_path: Path, tasks: Any) -> None:
    path = put_json(tmp_path / "e.json", tasks)
    with pytest.raises(DatasetError) as caught:
        LabelStudio(path)
    assert caught.value.hint


@pytest.mark.parametrize("data", [None, 7, [], {}, {"image": 7}, {"image": [7]}])
def test_tasks_without_an_image_are_counted_as_missing(tmp_path: Path, data: Any) -> None:
    annotated = task(1, brush(1))
    annotated["data"] = data
    with pytest.raises(DatasetError, match=r"1 \(a task without one\)"):
        export(tmp_path, annotated)


def test_cancelled_annotations_alone_leave_nothing(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no annotated image"):
        export(tmp_path, {"id": 1, "data": {}, "annotations": [7, {"was_cancelled": True}]})
