"""Hugging Face's image folder, by its ``metadata.jsonl`` and Pillow."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from edgeflow.data.left_out import LeftOut
from edgeflow.export.format import Choices
from edgeflow.export.splits import parse_splits
from tests.unit.edgeflow.export.exported import PixelPicture
from tests.unit.edgeflow.export.exported import export as exported
from tests.unit.edgeflow.export.formats.drawings import BOX, ODD_LABELS, SIZE, image, masks

export = partial(exported, pictures="leave")


def lines(folder: Path) -> list[Any]:
    return [json.loads(line) for line in (folder / "metadata.jsonl").read_bytes().splitlines()]


def read(path: Path) -> npt.NDArray[np.uint8]:
    with Image.open(path) as png:
        assert png.mode == "L"
        return np.asarray(png)


@pytest.mark.parametrize("name", masks())
def test_masks_are_exact(tmp_path: Path, name: str) -> None:
    mask = masks()[name]
    assert export(tmp_path, "hf", image(mask, labels=("b",)), labels=("a", "b")) == []
    (line,) = lines(tmp_path / "train")
    (path,) = line["instances_file_names"]
    assert (read(tmp_path / "train" / path) == 255 * mask).all()
    assert (read(tmp_path / "train" / line["mask_file_name"]) == 2 * mask).all()
    rows, cols = np.nonzero(mask)
    left, top = cols.min(), rows.min()
    box = [left, top, cols.max() - left + 1, rows.max() - top + 1]
    assert line["objects"] == {"bbox": [box], "categories": ["b"]}
    assert line["labels"] == ["b"]
    assert line["file_name"] == "images/1.jpg"


def test_overlapping_objects_stay_whole_and_boxes_boxes(tmp_path: Path) -> None:
    line, whole = masks()["line"], masks()["all"]
    drawn = image(line, BOX, whole, labels=("line", "box", None))
    assert export(tmp_path, "hf", drawn) == []
    (row,) = lines(tmp_path / "train")
    found = [read(tmp_path / "train" / path) > 0 for path in row["instances_file_names"]]
    assert len(found) == 2
    assert (found[0] == line).all()
    assert (found[1] == whole).all()
    assert row["labels"] == ["line", "unlabelled"]
    assert row["objects"]["categories"] == ["line", "box", "unlabelled"]
    assert row["objects"]["bbox"][1] == [1.25, 2, 10, 4.5]


def test_where_overlaps_are_faults_the_image_is_left_out(tmp_path: Path) -> None:
    (fault,) = export(tmp_path, "hf", image(*masks().values()), choices=Choices(overlap="error"))
    assert fault.fault == "1.jpg"
    assert lines(tmp_path / "train") == []


def test_an_image_without_objects_has_a_line(tmp_path: Path) -> None:
    export(tmp_path, "hf", image())
    (row,) = lines(tmp_path / "train")
    assert (row["instances_file_names"], row["labels"]) == ([], [])
    assert not read(tmp_path / "train" / row["mask_file_name"]).any()


def test_labels_of_any_kind_are_kept(tmp_path: Path) -> None:
    drawn = image(*[masks()["dot"]] * len(ODD_LABELS), labels=ODD_LABELS)
    export(tmp_path, "hf", drawn)
    assert lines(tmp_path / "train")[0]["labels"] == list(ODD_LABELS)


def test_each_part_has_a_folder_that_holds_all_of_it(tmp_path: Path) -> None:
    names = ["cat.jpg", "images/cat.jpg", "cat-1.jpg", "masks/cat.png", "a/instances/b.jpg"]
    mask = masks()["ring"]
    images = [
        image(mask, mask, key=str(number), file_name=name) for number, name in enumerate(names)
    ]
    export(tmp_path, "hf", *images, splits=parse_splits("train=1,val=1"))
    paths = [
        tmp_path / split / path
        for split in ("train", "val")
        for line in lines(tmp_path / split)
        for path in (*line["instances_file_names"], line["mask_file_name"])
    ]
    assert len(set(paths)) == 3 * len(names)
    assert all(read(path).any() for path in paths)


def test_pictures_lie_where_the_table_says(tmp_path: Path) -> None:
    grey = PixelPicture(np.full((*SIZE, 3), 127, dtype=np.uint8))
    images = [replace(image(masks()["dot"], key=key), picture=grey) for key in ("cat", "a/b c")]
    assert exported(tmp_path, "hf", *images) == []
    names = [line["file_name"] for line in lines(tmp_path / "train")]
    assert names == ["images/cat.png", "images/a/b c.png"]
    assert all((tmp_path / "train" / name).is_file() for name in names)


def test_columns_have_one_type_in_all_parts(tmp_path: Path) -> None:
    drawn = [image(masks()["dot"]), image(BOX, key="2")]
    export(tmp_path, "hf", *drawn)
    sides = [side for line in lines(tmp_path / "train") for side in line["objects"]["bbox"][0]]
    assert {type(side) for side in sides} == {float}


def test_pictures_are_missed_by_default(tmp_path: Path) -> None:
    left_out = exported(tmp_path, "hf", image(masks()["dot"]))
    assert left_out == [LeftOut("its picture is not at hand", "1.jpg")]
