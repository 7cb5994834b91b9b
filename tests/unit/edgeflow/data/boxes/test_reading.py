from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from edgeflow.data.base import DatasetError
from edgeflow.data.boxes import FloatBox, FoundBox, FoundPoint, ImageBoxes, read_boxes
from edgeflow.data.left_out import LeftOut
from edgeflow.geometry import Size
from tests.unit.edgeflow.data.making import image_file, put, put_json

INSTANCES: dict[str, Any] = {
    "images": [
        {"id": 1, "file_name": "x/a.jpg", "height": 40, "width": 60},
        {"id": "two", "file_name": "b.jpg"},
    ],
    "annotations": [
        {"image_id": 1, "category_id": 5, "bbox": [10, 5, 20, 10.5]},
        {"image_id": 1, "category_id": 9, "bbox": [0, 0, 60, 40], "score": 0.5},
        {"image_id": 1, "category_id": 5, "bbox": [0, 0, 9, 9], "iscrowd": 1},
    ],
    "categories": [{"id": 5, "name": "a/b é"}],
}
RESULTS = [
    {"image_id": "two", "category_id": 5, "bbox": [1, 2, 3, 4], "score": 0.9},
    {"image_id": 7, "category_id": 6, "bbox": [1, 2, 3, 4], "score": 0.25},
]
LABELME: dict[str, Any] = {
    "version": "5.5.0",
    "imagePath": "..\\pictures\\a.jpg",
    "imageHeight": 40,
    "imageWidth": 60,
    "shapes": [
        {"label": "cat", "shape_type": "rectangle", "points": [[30, 20], [10, 5]], "score": 0.5},
        {"label": "cat", "shape_type": "point", "points": [[3, 4.5]]},
        {"label": "dog", "shape_type": "circle", "points": [[10, 10], [13, 14]]},
        {"label": "dog", "shape_type": "mask", "points": [[1, 2], [4, 6]], "mask": ""},
        {"label": "", "points": [[0, 0], [5, 1], [2, 7]]},
        {"label": "dog", "shape_type": "linestrip", "points": [[0, 0], [5, 1], [2, 7]]},
    ],
}
VOC = b"""<annotation><filename>a.jpg</filename><size><width>60</width><height>40</height></size>
<object><name>cat</name><bndbox><xmin>11</xmin><ymin>6</ymin><xmax>30</xmax><ymax>20</ymax></bndbox>
</object><object><name>dog</name></object></annotation>"""
CAT = FoundBox("cat", FloatBox(10, 5, 30, 20))


def images_of(path: Path, names: Path | None = None) -> list[ImageBoxes]:
    return [each for each in read_boxes(path, names=names) if isinstance(each, ImageBoxes)]


def faults_of(path: Path, names: Path | None = None) -> list[LeftOut]:
    return [each for each in read_boxes(path, names=names) if isinstance(each, LeftOut)]


def test_coco_instances(tmp_path: Path) -> None:
    path = put_json(tmp_path / "any.json", INSTANCES)
    one, two = images_of(path)
    assert one == ImageBoxes(
        "x/a.jpg",
        Size(40, 60),
        (
            FoundBox("a/b é", FloatBox(10, 5, 30, 15.5)),
            FoundBox("9", FloatBox(0, 0, 60, 40), 0.5),
        ),
    )
    assert two == ImageBoxes("b.jpg", None, ())
    assert faults_of(path) == [LeftOut("crowds")]


def test_coco_results_with_and_without_names(tmp_path: Path) -> None:
    path = put_json(tmp_path / "results.json", RESULTS)
    assert images_of(path) == [
        ImageBoxes("two", None, (FoundBox("5", FloatBox(1, 2, 4, 6), 0.9),)),
        ImageBoxes("7", None, (FoundBox("6", FloatBox(1, 2, 4, 6), 0.25),)),
    ]
    names = put_json(tmp_path / "names.json", INSTANCES)
    named = {each.file_name: each.boxes for each in images_of(path, names)}
    assert named["b.jpg"] == (FoundBox("a/b é", FloatBox(1, 2, 4, 6), 0.9),)
    assert named["x/a.jpg"] == ()


def test_labelme(tmp_path: Path) -> None:
    path = put_json(tmp_path / "a.json", LABELME)
    (image,) = images_of(path)
    assert (image.file_name, image.size) == ("a.jpg", (40, 60))
    assert image.boxes == (
        CAT._replace(score=0.5),
        FoundBox("dog", FloatBox(5, 5, 15, 15)),
        FoundBox("dog", FloatBox(1, 2, 5, 7)),
        FoundBox(None, FloatBox(0, 0, 5, 7)),
    )
    assert image.points == (FoundPoint("cat", 3, 4.5),)
    assert image.left_out == (LeftOut("shapes of type 'linestrip'"),)


def test_labelme_behind_a_picture_in_the_file(tmp_path: Path) -> None:
    document = {"imageData": "A" * (1 << 17), **LABELME}
    assert len(images_of(put_json(tmp_path / "a.json", document))[0].boxes) == 4


def test_voc(tmp_path: Path) -> None:
    put(tmp_path, {"a.xml": VOC})
    (image,) = images_of(tmp_path / "a.xml")
    assert image == ImageBoxes(
        "a.jpg", Size(40, 60), (CAT,), left_out=(LeftOut("it has no box", "a.xml, object 1"),)
    )


def test_a_voc_dataset_is_read_from_its_annotations(tmp_path: Path) -> None:
    put(tmp_path, {"Annotations/a.xml": VOC, "ImageSets/Main/val.txt": b"a", "note.txt": b"x"})
    assert [each.file_name for each in images_of(tmp_path)] == ["a.jpg"]


def test_yolo_labels_are_fractions_until_the_size_is_known(tmp_path: Path) -> None:
    put(
        tmp_path,
        {
            "a.txt": b"0 0.5 0.5 0.5 0.25\n\n1 0.25 0.5 0.5 0.5 0.75\n7 0 0 .5 0 .5 1\n0 x\n",
            "b.txt": b"",
            "classes.txt": b"cat\na/b\n",
        },
    )
    a, b = images_of(tmp_path)
    assert (a.file_name, a.size, a.relative) == ("a", None, True)
    assert b.boxes == ()
    assert a.left_out == (
        LeftOut("it is not a class number with a box or an outline", "a.txt, line 5"),
    )
    drawn = a.in_pixels(Size(40, 60))
    assert (drawn.size, drawn.relative) == ((40, 60), False)
    assert drawn.boxes == (
        FoundBox("cat", FloatBox(15, 15, 45, 25)),
        FoundBox("a/b", FloatBox(0, 10, 30, 30), 0.75),
        FoundBox("7", FloatBox(0, 0, 30, 40)),
    )


def test_a_yolo_dataset_names_its_images(tmp_path: Path) -> None:
    put(
        tmp_path,
        {
            "data.yaml": b"path: /elsewhere\ntrain: images/train\nval: images/val\nnames: [cat]\n",
            "images/train/a.jpg": image_file(),
            "images/val/b.png": image_file(kind="PNG"),
            "labels/train/a.txt": b"0 .5 .5 1 1",
        },
    )
    for path in (tmp_path, tmp_path / "data.yaml"):
        a, b = images_of(path)
        assert (a.file_name, b.file_name) == ("train/a.jpg", "val/b.png")
        assert a.in_pixels(Size(4, 6)).boxes == (FoundBox("cat", FloatBox(0, 0, 6, 4)),)
        assert b.boxes == ()


def test_images_that_two_splits_share_are_read_once(tmp_path: Path) -> None:
    """As in an export without parts, which Ultralytics validates on what it trains on."""
    put(
        tmp_path,
        {
            "data.yaml": b"train: images/train\nval: images/train\nnames: [cat]\n",
            "images/train/a.jpg": image_file(),
            "labels/train/a.txt": b"0 .5 .5 1 1",
        },
    )
    assert [each.file_name for each in images_of(tmp_path)] == ["train/a.jpg"]


def test_names_can_be_given_for_labels(tmp_path: Path) -> None:
    put(tmp_path, {"l/a.txt": b"1 .5 .5 1 1", "n.yaml": b"names:\n  1: dog\n", "n.txt": b"x\ncow"})
    for name, label in (("n.yaml", "dog"), ("n.txt", "cow")):
        (image,) = images_of(tmp_path / "l", tmp_path / name)
        assert image.boxes[0].label == label


def test_a_damaged_file_of_a_folder_costs_only_itself(tmp_path: Path) -> None:
    put(tmp_path, {"a.xml": VOC, "b.xml": b"<annotation>", "c.json": b'{"shapes": 3}'})
    assert [each.file_name for each in images_of(tmp_path)] == ["a.jpg"]
    assert [each.fault for each in faults_of(tmp_path)] == ["b.xml", "c.json"]
    for name in ("b.xml", "c.json"):
        with pytest.raises(DatasetError):
            images_of(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        pytest.param(
            "a.xml", b"<!DOCTYPE x [<!ENTITY a 'b'>]><annotation>&a;</annotation>", id="dtd"
        ),
        pytest.param("a.xml", b"<x/>", id="other-xml"),
        pytest.param("a.json", b'{"annotations": []}', id="no-images"),
        pytest.param("a.json", b'"text"', id="text"),
        pytest.param("a.jpg", image_file(), id="image"),
        pytest.param("a.txt", b"\xff\xfe", id="not-utf-8"),
        pytest.param("a.yaml", b"train: nowhere", id="no-folder"),
        pytest.param("a.yaml", b"train: /etc", id="outside"),
        pytest.param("a.yaml", b"train: a/../../etc", id="above"),
        pytest.param("a.yaml", b"names: [a, b", id="not-closed"),
    ],
)
def test_what_is_no_file_of_boxes_is_refused(tmp_path: Path, name: str, data: bytes) -> None:
    put(tmp_path, {name: data})
    with pytest.raises(DatasetError):
        images_of(tmp_path / name)


def test_missing_and_empty_paths_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="nowhere is missing"):
        images_of(tmp_path / "nowhere")
    with pytest.raises(DatasetError, match="holds no file with boxes"):
        images_of(tmp_path)


HOSTILE: list[Any] = [
    None, 3, [], {}, {"image_id": 1}, {"image_id": True, "bbox": [0, 0, 1, 1]},
    {"image_id": 1, "bbox": "abcd"}, {"image_id": 1, "bbox": [0, 0, 1]},
    {"image_id": 1, "bbox": [0, 0, 1e300, 1]}, {"image_id": 1, "bbox": [0, 0, -5, 1]},
    {"image_id": 1, "bbox": [0, 0, None, 1]}, {"image_id": [], "bbox": [0, 0, 1, 1]},
    {"image_id": "../../etc", "bbox": [0, 0, 1, 1]},
]  # fmt: skip


@pytest.mark.parametrize("annotation", HOSTILE, ids=range(len(HOSTILE)))
def test_one_annotation_that_cannot_be_read_costs_only_itself(
    tmp_path: Path, annotation: object
) -> None:
    path = put_json(tmp_path / "r.json", [annotation, RESULTS[0]])
    kept = [each.file_name for each in images_of(path) if each.boxes]
    assert kept == ["two"]
    assert len(faults_of(path)) == 1


def test_scores_that_are_no_numbers_are_none(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    path.write_text(json.dumps([RESULTS[0] | {"score": float("nan")}]), encoding="utf-8")
    assert images_of(path)[0].boxes[0].score is None


def test_in_pixels_cuts_boxes_and_drops_what_is_outside() -> None:
    image = ImageBoxes(
        "a",
        None,
        (FoundBox(None, FloatBox(-5, 1, 70, 9)), FoundBox(None, FloatBox(60, 0, 70, 9))),
        (FoundPoint(None, 59.5, 1), FoundPoint(None, 60, 1)),
    )
    drawn = image.in_pixels(Size(40, 60))
    assert drawn.boxes == (FoundBox(None, FloatBox(0, 1, 60, 9)),)
    assert drawn.points == (FoundPoint(None, 59.5, 1),)
    assert drawn.left_out == (LeftOut("boxes and points outside the image"),) * 2


def test_of_coco_images_with_one_id_the_first_has_the_boxes(tmp_path: Path) -> None:
    one, two = INSTANCES["images"]
    images = [one, {**two, "id": one["id"]}, one]
    path = put_json(tmp_path / "any.json", {**INSTANCES, "images": images})
    assert [(each.file_name, len(each.boxes)) for each in images_of(path)] == [("x/a.jpg", 2)]
    assert [each.fault for each in faults_of(path)] == ["b.jpg", ""]
