from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edgeflow.data.base import DatasetError
from edgeflow.data.layouts.eiseg import Eiseg
from edgeflow.data.layouts.labelme import Labelme
from tests.unit.edgeflow.data.making import (
    FIRST,
    SECOND,
    TWO_OBJECTS,
    encoded,
    image_file,
    objects,
    pixels,
    put,
    put_json,
)

GREY = encoded(np.where(TWO_OBJECTS == 255, np.uint8(0), TWO_OBJECTS))
LIST = b"1 cat 128 0 0 \n2 black dog 0 128 0\n"


def polygon(points: object, name: object = "cat", index: object = 1) -> dict[str, Any]:
    return {"name": name, "labelIdx": index, "color": [128, 0, 0], "points": points}


SQUARE = polygon([[1.0, 1.0], [2.0, 1.0], [2.0, 2.0], [1.0, 2.0]])
LINE = polygon([[4, 1], [4, 2], [4, 1]], "é/b", 2)


def test_polygons_are_objects_and_come_before_masks(tmp_path: Path) -> None:
    put(tmp_path, {"a.jpg": image_file(), "label/a.png": GREY, "label/labels.txt": LIST})
    put_json(tmp_path / "label/a.json", [LINE, SQUARE])
    put_json(tmp_path / "label/annotations.json", {"images": []})
    dataset = Eiseg(tmp_path / "label")
    assert dataset.sample_names == ("a",)
    assert objects(dataset) == [SECOND, FIRST]
    assert dataset[0].labels == ("é/b", "cat")
    assert dataset[0].file_name == "a.jpg"


def test_masks_are_read_with_the_label_list(tmp_path: Path) -> None:
    put(
        tmp_path,
        {
            "images/a.jpg": image_file(),
            "a.png": GREY,
            "a_pseudo.png": image_file(kind="PNG"),
            "a_cutout.png": image_file(kind="PNG"),
            "notes.txt": b"nothing",
            "x.txt": LIST,
        },
    )
    assert Eiseg.recognise(tmp_path)
    dataset = Eiseg(tmp_path)
    assert objects(dataset) == [FIRST, SECOND]
    assert dataset[0].labels == ("cat", "black dog")
    assert dataset.class_names == ("cat", "black dog")


def test_its_files_for_labelme_are_no_second_layout(tmp_path: Path) -> None:
    put(tmp_path, {"images/a.jpg": image_file(), "a.png": GREY, "x.txt": LIST})
    put_json(tmp_path / "labelme/a_labelme.json", {"shapes": [], "imagePath": "a.jpg"})
    assert Eiseg.recognise(tmp_path)
    assert not Labelme.recognise(tmp_path)
    assert Labelme.recognise(tmp_path / "labelme")


@pytest.mark.parametrize("where", ["images/a.jpg", "../a.jpg", "a.jpg"])
def test_images_are_looked_for_in_three_places(tmp_path: Path, where: str) -> None:
    root = tmp_path / "out"
    put(root, {"x.txt": LIST, "a.png": GREY})
    put_json(root / "a.json", [SQUARE])
    with pytest.raises(DatasetError, match=r"1 \(a\) without an image"):
        Eiseg(root)
    put(root, {where: image_file()})
    assert objects(Eiseg(root)) == [FIRST]


def test_images_may_lie_elsewhere_and_files_in_folders(tmp_path: Path) -> None:
    put_json(tmp_path / "out/x/a.jpg.json", [SQUARE])  # with the original extension
    put(tmp_path, {"other/x/a.jpg": image_file()})
    assert Eiseg.recognise(tmp_path / "out")
    dataset = Eiseg(tmp_path / "out", images=tmp_path / "other")
    assert dataset.sample_names == ("x/a",)
    assert objects(dataset) == [FIRST]


def test_polygons_are_filled_as_eiseg_fills_them(tmp_path: Path) -> None:
    rings = (np.random.default_rng(0).random((20, 7, 2)) * (90, 70) - 5).tolist()
    put_json(tmp_path / "a.json", list(map(polygon, rings)))
    put(tmp_path, {"images/a.jpg": image_file(61, 83)})
    masks = Eiseg(tmp_path)[0].objects
    assert len(masks) == 20
    for mask, ring in zip(masks, rings, strict=True):
        expected = np.zeros((61, 83), dtype=np.uint8)
        cv2.fillPoly(expected, [np.array(ring).astype(np.int32)], color=1)
        assert np.array_equal(mask, expected > 0)


def test_a_name_that_is_empty_is_its_number(tmp_path: Path) -> None:
    put(tmp_path, {"images/a.jpg": image_file()})
    put_json(tmp_path / "a.json", [SQUARE | {"name": ""}, SQUARE | {"name": 3, "labelIdx": None}])
    assert Eiseg(tmp_path)[0].labels == ("1", None)


DAMAGED: list[Any] = [
    3, {}, polygon(None), polygon([[0, 0], [1]]), polygon([[0, 0], [1e9, 1], [2, 2]]),
    polygon([[0, 0], [None, 1], [2, 2]]), polygon("abc"),
]  # fmt: skip


@pytest.mark.parametrize("damaged", DAMAGED, ids=range(len(DAMAGED)))
def test_one_polygon_that_cannot_be_read_costs_only_itself(tmp_path: Path, damaged: object) -> None:
    put(tmp_path, {"images/a.jpg": image_file()})
    put_json(tmp_path / "a.json", [damaged, SQUARE])
    sample = Eiseg(tmp_path)[0]
    assert [pixels(mask) for mask in sample.objects] == [FIRST]
    assert sample.left_out[0].fault == "a.json, polygon 0"


def test_other_folders_are_not_recognised(tmp_path: Path) -> None:
    put(tmp_path, {"a.png": GREY, "x.txt": b"1 cat red 0 0\n", "b.json": b"[]"})
    assert not Eiseg.recognise(tmp_path)
    assert not Eiseg.recognise(tmp_path / "a.png")
    with pytest.raises(DatasetError):
        Eiseg(put(tmp_path / "none", {"x.txt": b""}))
