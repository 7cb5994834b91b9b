from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeflow.data.base import DatasetError
from edgeflow.data.layouts.hf import HfImageFolder
from edgeflow.data.left_out import LeftOut
from tests.unit.edgeflow.data.making import (
    FIRST,
    IGNORED,
    SECOND,
    TWO_OBJECTS,
    encoded,
    image_file,
    objects,
    pixels,
    put,
    turned_image,
)

ONE, TWO = (
    encoded(np.where(number == TWO_OBJECTS, np.uint8(255), np.uint8(0))) for number in (1, 2)
)
ROW: dict[str, Any] = {
    "file_name": "x/a.jpg",
    "instances_file_names": ["masks/1.png", "masks/2.png"],
    "labels": ["a/b é", None],
}


def tree(root: Path, *rows: object, **files: bytes) -> Path:
    table = "".join(json.dumps(row) + "\n" for row in rows or (ROW,))
    masks = {"masks/1.png": ONE, "masks/2.png": TWO}
    return put(root, {"metadata.jsonl": table.encode(), "x/a.jpg": image_file(), **masks, **files})


def test_each_mask_of_the_list_is_an_object(tmp_path: Path) -> None:
    dataset = HfImageFolder(tree(tmp_path))
    assert dataset.sample_names == ("x/a",)
    assert objects(dataset) == [FIRST, SECOND]
    assert dataset[0].labels == ("a/b é", None)
    assert dataset[0].file_name == "x/a.jpg"
    assert dataset.class_names == ("a/b é",)


def test_one_mask_for_all_is_read_by_its_values(tmp_path: Path) -> None:
    row = {"file_name": "x/a.jpg", "mask_file_name": "m.png", "labels": ["cat"]}
    tree(tmp_path, row, **{"m.png": encoded(TWO_OBJECTS)})
    sample = HfImageFolder(tmp_path)[0]
    assert [pixels(mask) for mask in sample.objects] == [FIRST, SECOND]
    assert pixels(sample.ignore) == IGNORED
    assert sample.labels == (None, None)
    put(tmp_path, {"m.png": ONE})
    assert objects(HfImageFolder(tmp_path)) == [FIRST]


def test_labels_that_are_not_one_a_mask_are_none(tmp_path: Path) -> None:
    for labels in (["cat"], "cat", [1, 2], None):
        assert HfImageFolder(tree(tmp_path, ROW | {"labels": labels}))[0].labels == (None, None)


def test_splits_are_folders(tmp_path: Path) -> None:
    tree(tmp_path / "train")
    tree(tmp_path / "test")
    assert HfImageFolder.recognise(tmp_path)
    with pytest.raises(DatasetError, match="2 splits and none is chosen"):
        HfImageFolder(tmp_path)
    assert objects(HfImageFolder(tmp_path, "test")) == [FIRST, SECOND]
    with pytest.raises(DatasetError, match="has no splits"):
        HfImageFolder(tmp_path / "train", "test")


def test_images_are_called_without_a_folder_that_all_are_in(tmp_path: Path) -> None:
    root = tree(tmp_path, ROW | {"file_name": "images/x/a.jpg"}, **{"images/x/a.jpg": image_file()})
    sample = HfImageFolder(root)[0]
    assert (sample.name, sample.file_name) == ("x/a", "x/a.jpg")


DAMAGED: list[Any] = [
    3, {}, {"file_name": "x/a.jpg"}, {"file_name": 3, "instances_file_names": []},
    ROW | {"file_name": "../a.jpg"}, ROW | {"instances_file_names": ["/etc/passwd", "b"]},
    ROW | {"instances_file_names": [3]}, {"file_name": "x/a.jpg", "mask_file_name": "a/../../b"},
]  # fmt: skip


@pytest.mark.parametrize("row", DAMAGED, ids=range(len(DAMAGED)))
def test_one_line_that_cannot_be_read_costs_only_itself(tmp_path: Path, row: object) -> None:
    dataset = HfImageFolder(tree(tmp_path, row, ROW))
    assert objects(dataset) == [FIRST, SECOND]
    assert [each.fault for each in dataset.left_out] == ["metadata.jsonl, line 1"]


def test_lines_that_are_not_json_and_second_ones_are_left_out(tmp_path: Path) -> None:
    tree(tmp_path, ROW, ROW)
    with (tmp_path / "metadata.jsonl").open("ab") as file:
        file.write(b"\n{\xff}\n")
    assert [each.fault for each in HfImageFolder(tmp_path).left_out] == [
        "metadata.jsonl, line 2", "metadata.jsonl, line 3",
    ]  # fmt: skip


@pytest.mark.parametrize("mask", [b"x", encoded(TWO_OBJECTS[:2])], ids=["damaged", "size"])
def test_one_mask_that_cannot_be_read_costs_only_itself(tmp_path: Path, mask: bytes) -> None:
    sample = HfImageFolder(tree(tmp_path, **{"masks/2.png": mask}))[0]
    assert [pixels(each) for each in sample.objects] == [FIRST]
    assert sample.left_out[0].fault == "masks/2.png"


def test_an_empty_mask_is_no_object(tmp_path: Path) -> None:
    black = encoded(np.zeros((4, 6), dtype=np.uint8))
    sample = HfImageFolder(tree(tmp_path, **{"masks/1.png": black}))[0]
    assert [pixels(each) for each in sample.objects] == [SECOND]
    assert sample.left_out == (LeftOut("objects without a pixel"),)


def test_the_first_mask_decides_the_orientation(tmp_path: Path) -> None:
    root = tree(tmp_path, **{"x/a.jpg": turned_image(4, 6, 6)})
    assert HfImageFolder(root)[0].rgb.shape == (4, 6, 3)


@pytest.mark.parametrize("labels", [[0, 1], ["cat"], "cat"], ids=["numbers", "too few", "text"])
def test_labels_that_no_mask_gets_are_told(tmp_path: Path, labels: object) -> None:
    dataset = HfImageFolder(tree(tmp_path, {**ROW, "labels": labels}))
    assert dataset[0].labels == (None, None)
    assert dataset.left_out == (LeftOut("labels that are not one text for each mask"),)
