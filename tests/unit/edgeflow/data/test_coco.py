from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from edgeflow.data import json_files
from edgeflow.data.base import DatasetError
from edgeflow.data.coco import Coco
from edgeflow.data.left_out import LeftOut
from tests.unit.edgeflow.data.making import (
    FIRST,
    image_file,
    objects,
    pixels,
    put,
    put_json,
    turned_image,
)

SQUARE = [[1, 1, 3, 1, 3, 3, 1, 3]]
CORNER = {"size": [4, 6], "counts": [23, 1]}
BLANK = {"size": [4, 6], "counts": [24]}


def image(number: int, name: str | None = None, **more: Any) -> dict[str, Any]:
    return {"id": number, "file_name": name or f"{number:03}.jpg", "height": 4, "width": 6, **more}


def annotation(image_id: Any, segmentation: Any, **more: Any) -> dict[str, Any]:
    return {"image_id": image_id, "segmentation": segmentation, "iscrowd": 0, **more}


def document(images: Any, *annotations: Any) -> dict[str, Any]:
    return {"info": {}, "images": images, "annotations": list(annotations), "categories": []}


DOCUMENT = document(
    [image(7), image(3), image(5), image(9)],
    annotation(3, CORNER),
    annotation(7, SQUARE),
    annotation(3, SQUARE),
    annotation(3, BLANK),
    annotation(3, []),
    annotation(3, {"size": [4, 6], "counts": [0, 24]}, iscrowd=1),
    annotation(9, CORNER, iscrowd=1),
    annotation(1000, CORNER),
    {"image_id": 3, "bbox": [0, 0, 1, 1]},
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    put_json(tmp_path / "annotations" / "instances_val2017.json", DOCUMENT)
    put(tmp_path, {f"val2017/{number:03}.jpg": image_file() for number in (7, 3, 5, 9)})
    return tmp_path


def test_images_with_objects_come_in_the_order_of_the_file(root: Path) -> None:
    assert Coco.recognise(root)
    dataset = Coco(root)
    assert dataset.name == f"{root.name} val2017"
    assert dataset.sample_names == ("007", "003")
    assert objects(dataset, 0) == [FIRST]
    assert dataset[0].ignore is None


def test_objects_come_in_the_order_of_their_annotations_and_empty_ones_are_dropped(
    root: Path,
) -> None:
    assert objects(Coco(root), 1) == [[(3, 5)], FIRST]


def test_labels_are_the_names_of_the_categories(tmp_path: Path) -> None:
    annotations = [
        annotation(1, SQUARE, category_id=18),
        annotation(1, BLANK, category_id=1),
        annotation(1, CORNER, category_id=1),
        annotation(1, CORNER, category_id=99),
        annotation(1, CORNER),
        annotation(1, CORNER, category_id=[]),
        annotation(1, CORNER, category_id=18, iscrowd=1),
    ]
    categories = [{"id": 1, "name": "person"}, {"id": 18, "name": "dog", "supercategory": "animal"}]
    path = put_json(
        tmp_path / "x.json", {**document([image(1)], *annotations), "categories": categories}
    )
    put(tmp_path, {"001.jpg": image_file()})
    assert Coco(path)[0].labels == ("dog", "person", None, None, None)


def test_a_file_without_categories_has_objects_without_labels(tmp_path: Path) -> None:
    content = document([image(1)], annotation(1, SQUARE, category_id=1))
    del content["categories"]
    path = put_json(tmp_path / "x.json", content)
    put(tmp_path, {"001.jpg": image_file()})
    assert Coco(path)[0].labels == (None,)


def test_crowds_are_ignored_where_no_object_is(root: Path) -> None:
    everywhere = [(row, col) for row in range(4) for col in range(6)]
    ignored = pixels(Coco(root)[1].ignore)
    assert ignored == [place for place in everywhere if place not in {(3, 5), *FIRST}]


def test_the_file_itself_can_be_given(root: Path) -> None:
    path = root / "annotations" / "instances_val2017.json"
    assert Coco.recognise(path)
    dataset = Coco(path)
    assert dataset.name == "instances_val2017"
    assert objects(dataset) == [FIRST]


def test_the_file_is_read_once(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = []

    def noting(path: Path, _limit: int) -> bytes:
        read.append(path.name)
        return path.read_bytes()

    monkeypatch.setattr(json_files, "read_bytes", noting)
    dataset = Coco(root)
    for _ in range(3):
        assert dataset[0].objects
    assert read == ["instances_val2017.json"]


def test_images_may_lie_in_a_folder_that_is_given(root: Path, tmp_path: Path) -> None:
    (root / "val2017").rename(tmp_path / "elsewhere")
    with pytest.raises(DatasetError, match=r"such as 007\.jpg, are not in") as caught:
        Coco(root)
    assert "--images" in caught.value.hint
    assert objects(Coco(root, images=tmp_path / "elsewhere")) == [FIRST]


def test_of_several_files_one_must_be_chosen(root: Path) -> None:
    put_json(
        root / "annotations" / "instances_train2017.json",
        document([image(7)], annotation(7, SQUARE)),
    )
    put_json(root / "annotations" / "captions_val2017.json", {"images": []})
    with pytest.raises(DatasetError, match="2 splits and none is chosen") as caught:
        Coco(root)
    assert caught.value.hint == "splits: train2017, val2017"
    assert len(Coco(root, split="val2017")) == 2
    with pytest.raises(DatasetError, match="no split 'val'"):
        Coco(root, split="val")


@pytest.mark.parametrize("folder", ["train2017", "images/train2017"])
def test_lvis_finds_its_images_by_their_url(tmp_path: Path, folder: str) -> None:
    url = "http://images.cocodataset.org/train2017/000000391895.jpg"
    lvis = {"id": 391895, "coco_url": url, "height": 4, "width": 6}
    lvis |= {"neg_category_ids": [1], "not_exhaustive_category_ids": []}
    path = put_json(
        tmp_path / "lvis_v1_val.json",
        document([lvis], {"id": 1, "image_id": 391895, "segmentation": SQUARE, "category_id": 4}),
    )
    put(tmp_path, {f"{folder}/000000391895.jpg": image_file()})
    for given in (path, tmp_path):
        assert Coco.recognise(given)
        dataset = Coco(given)
        assert dataset.sample_names == ("train2017/000000391895",)
        assert objects(dataset) == [FIRST]
    assert objects(Coco(path, images=tmp_path / folder)) == [FIRST]


def test_lvis_files_may_have_any_name_and_name_their_images(tmp_path: Path) -> None:
    about = {"neg_category_ids": [2], "not_exhaustive_category_ids": [1], "coco_url": "images/1"}
    square = {"image_id": 1, "category_id": 1, "segmentation": [[1, 1, 3, 1, 3, 3, 1, 3]]}
    whole = {
        "images": [image(1) | about],
        "annotations": [square | {"id": 3, "area": 4, "bbox": [1, 1, 2, 2]}],
        "categories": [
            {
                "id": 1,
                "name": "cat",
                "synset": "cat.n.01",
                "synonyms": ["cat", "true_cat"],
                "def": "feline",
                "frequency": "f",
                "image_count": 1,
                "instance_count": 1,
            }
        ],
    }
    put_json(tmp_path / "annotations/lvis_default.json", whole)
    put(tmp_path, {f"images/{image(1)['file_name']}": image_file()})
    assert Coco.recognise(tmp_path)
    sample = Coco(tmp_path)[0]
    assert sample.labels == ("cat",)
    assert len(sample.objects) == 1


def test_images_in_subfolders_keep_them_in_their_names(tmp_path: Path) -> None:
    path = put_json(tmp_path / "x.json", document([image(1, "a/b.c.jpg")], annotation(1, SQUARE)))
    put(tmp_path, {"a/b.c.jpg": image_file()})
    assert Coco(path).sample_names == ("a/b.c",)


def test_sizes_in_the_file_decide_the_orientation(tmp_path: Path) -> None:
    path = put_json(tmp_path / "x.json", document([image(1, "a.png")], annotation(1, SQUARE)))
    put(tmp_path, {"a.png": turned_image(4, 6, 8)})
    assert objects(Coco(path)) == [FIRST]


def test_an_image_of_another_size_names_both(tmp_path: Path) -> None:
    path = put_json(tmp_path / "x.json", document([image(1)], annotation(1, SQUARE)))
    put(tmp_path, {"001.jpg": image_file(5, 5)})
    with pytest.raises(DatasetError, match=r"001\.jpg has 5×5 pixels, x\.json has 6×4"):
        Coco(path)[0]


def test_a_missing_image_is_named_when_it_is_read(root: Path) -> None:
    (root / "val2017" / "003.jpg").unlink()
    with pytest.raises(DatasetError, match=r"val2017/003\.jpg is missing"):
        Coco(root)[1]


def test_a_malformed_annotation_costs_only_itself_and_is_told(tmp_path: Path) -> None:
    malformed = annotation(1, {"size": [4, 6], "counts": [99]})
    whole = annotation(1, {"size": [4, 6], "counts": [7, 2, 15]})
    path = put_json(tmp_path / "x.json", document([image(1)], malformed, whole))
    put(tmp_path, {"001.jpg": image_file()})
    sample = Coco(path)[0]
    assert [pixels(mask) for mask in sample.objects] == [[(0, 2), (3, 1)]]
    (left_out,) = sample.left_out
    assert left_out.fault == "x.json: an annotation of 001"
    assert "does not fill" in left_out.reason


@pytest.mark.parametrize(
    "name",
    ["../secret.jpg", "/etc/passwd", "a/../../b.jpg", "..\\b.jpg", "C:/b.jpg", "\0.jpg", "."],
)
def test_an_image_cannot_lie_outside_the_folder(tmp_path: Path, name: str) -> None:
    put(tmp_path, {"secret.jpg": image_file()})
    inside = tmp_path / "inside"
    path = put_json(inside / "x.json", document([image(1, name)], annotation(1, SQUARE)))
    with pytest.raises(DatasetError, match="not a name for an image"):
        Coco(path)


def test_a_file_that_is_listed_twice_is_two_samples(tmp_path: Path) -> None:
    images = [image(1, "a.jpg"), image(2, "a.jpg")]
    put(tmp_path, {"a.jpg": image_file()})
    path = put_json(
        tmp_path / "x.json", document(images, annotation(1, SQUARE), annotation(2, SQUARE))
    )
    found = Coco(path)
    assert found.sample_names == ("a", "a-2")
    assert [found[index].file_name for index in range(2)] == ["a.jpg", "a.jpg"]


def test_two_images_of_one_name_are_refused(tmp_path: Path) -> None:
    images = [image(1, "a.jpg"), image(2, "a.png")]
    path = put_json(
        tmp_path / "x.json", document(images, annotation(1, SQUARE), annotation(2, SQUARE))
    )
    with pytest.raises(DatasetError, match="two images are called a"):
        Coco(path)


@pytest.mark.parametrize(
    "content",
    [
        [],
        "text",
        None,
        {},
        {"images": []},
        {"images": [], "annotations": {}},
        {"images": [], "annotations": [7]},
        {"images": [], "annotations": [[]]},
        document([7], annotation(1, SQUARE)),
        document({"a": 1}, annotation(1, SQUARE)),
        document([{"id": 1}], annotation(1, SQUARE)),
        document([{"file_name": "a.jpg"}], annotation(1, SQUARE)),
        document([image(1, "a.jpg", id=[])], annotation(1, SQUARE)),
        document([{"id": 1, "file_name": 7}], annotation(1, SQUARE)),
        document([{"id": 1, "coco_url": 7}], annotation(1, SQUARE)),
        document([{"id": 1, "coco_url": "http://["}], annotation(1, SQUARE)),
        document([image(1)], annotation([], SQUARE)),
        document([image(1)], {"segmentation": SQUARE}),
        document([], annotation(1, SQUARE)),
        {**document([image(1)], annotation(1, SQUARE)), "categories": [{"id": 1}]},
        {**document([image(1)], annotation(1, SQUARE)), "categories": [7]},
    ],
)
def test_documents_of_another_form_are_refused(tmp_path: Path, content: object) -> None:
    path = put_json(tmp_path / "x.json", content)
    with pytest.raises(DatasetError, match="x"):
        Coco(path)


@pytest.mark.parametrize("data", [b"", b"{", b'{"images": [' + b"[" * 100_000, b"\xff"])
def test_what_is_no_json_is_refused(tmp_path: Path, data: bytes) -> None:
    put(tmp_path, {"x.json": data})
    with pytest.raises(DatasetError, match=r"x\.json is not (JSON|a COCO file)"):
        Coco(tmp_path / "x.json")


def test_json_above_the_limit_is_not_read(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_files, "MAX_BYTES", 10)
    with pytest.raises(DatasetError, match="more than 10"):
        Coco(root)


def test_absent_sizes_are_those_of_the_image(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    bare = {"id": "x1", "file_name": "./a.jpg"}
    path.write_bytes(orjson.dumps(document([bare], annotation("x1", SQUARE))))
    put(tmp_path, {"a.jpg": image_file()})
    assert objects(Coco(path)) == [FIRST]


def test_what_covers_nothing_is_told(root: Path) -> None:
    dataset = Coco(root)
    assert dataset.left_out == (
        LeftOut("annotations without a segmentation"),
        LeftOut("annotations without a segmentation"),
        LeftOut("annotations of images that are not listed"),
    )
    assert dataset[1].left_out == (LeftOut("objects without a pixel"),)


def test_images_that_only_their_folders_tell_apart_need_them(tmp_path: Path) -> None:
    images = [image(1, "x/a.jpg"), image(2, "y/a.jpg")]
    listed = document(images, annotation(1, SQUARE), annotation(2, CORNER))
    path = put_json(tmp_path / "x.json", listed)
    put(tmp_path, {"a.jpg": image_file()})
    with pytest.raises(DatasetError, match=r"x/a\.jpg and y/a\.jpg are one file"):
        Coco(path)
    put(tmp_path, {"x/a.jpg": image_file(), "y/a.jpg": image_file()})
    assert Coco(path)[1].path == tmp_path / "y/a.jpg"


def test_of_images_with_one_id_the_first_has_the_annotations(tmp_path: Path) -> None:
    images = [image(1, "a.jpg"), image(1, "b.jpg"), image(1, "a.jpg")]
    path = put_json(tmp_path / "x.json", document(images, annotation(1, SQUARE)))
    put(tmp_path, {"a.jpg": image_file(), "b.jpg": image_file()})
    dataset = Coco(path)
    assert dataset.sample_names == ("a",)
    assert [each.fault for each in dataset.left_out] == ["b.jpg"]
    assert "the id of a.jpg" in dataset.left_out[0].reason


def test_the_name_of_an_image_without_objects_does_not_count(tmp_path: Path) -> None:
    images = [image(1, "a.jpg"), image(2, "../b.jpg")]
    path = put_json(tmp_path / "x.json", document(images, annotation(1, SQUARE)))
    put(tmp_path, {"a.jpg": image_file()})
    assert Coco(path).sample_names == ("a",)
