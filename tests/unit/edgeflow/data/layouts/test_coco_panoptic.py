from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeflow.data.base import DatasetError
from edgeflow.data.coco import Coco
from edgeflow.data.layouts.coco_panoptic import CocoPanoptic
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
    put_json,
    turned_image,
)

IDS = {1: 300, 2: 70_000, 255: 0}
DOCUMENT: dict[str, Any] = {
    "images": [{"id": 1, "file_name": "a.jpg", "height": 4, "width": 6}],
    "annotations": [
        {
            "image_id": 1,
            "file_name": "a.png",
            "segments_info": [
                {"id": 70_000, "category_id": 2, "iscrowd": 0},
                {"id": 300, "category_id": 1, "iscrowd": 0},
            ],
        }
    ],
    "categories": [{"id": 1, "name": "a/b é", "isthing": 1}, {"id": 2, "name": "dog"}],
}


def segments(numbers: dict[int, int] | None = None) -> bytes:
    """``TWO_OBJECTS`` with its values as segments of these numbers, 0 for those not named."""
    values = np.zeros(TWO_OBJECTS.shape, dtype=np.uint32)
    for value, number in (numbers or IDS).items():
        values[value == TWO_OBJECTS] = number
    return encoded(np.stack([values >> 8 * k & 255 for k in range(3)], axis=-1).astype(np.uint8))


def tree(root: Path, document: object = DOCUMENT, png: bytes = b"", **images: bytes) -> Path:
    put(
        root,
        {
            "annotations/panoptic_val.json": b"",
            "annotations/panoptic_val/a.png": png or segments(),
            "val/a.jpg": image_file(),
            **images,
        },
    )
    put_json(root / "annotations/panoptic_val.json", document)
    return root


def test_things_are_objects_in_the_order_of_the_file(tmp_path: Path) -> None:
    dataset = CocoPanoptic(tree(tmp_path))
    assert dataset.sample_names == ("a",)
    assert dataset.class_names == ("a/b é", "dog")
    assert objects(dataset) == [SECOND, FIRST]
    assert dataset[0].labels == ("dog", "a/b é")
    assert dataset[0].ignore is None


def test_stuff_is_background_and_makes_the_void_unknown(tmp_path: Path) -> None:
    document = deepcopy(DOCUMENT)
    document["categories"][1]["isthing"] = 0
    sample = CocoPanoptic(tree(tmp_path, document))[0]
    assert [pixels(mask) for mask in sample.objects] == [FIRST]
    assert sample.left_out == (LeftOut("stuff"),)
    everything = {(row, col) for row in range(4) for col in range(6)}
    assert set(pixels(sample.ignore)) == everything - set(FIRST) - set(SECOND)


def test_crowds_and_segments_without_an_entry_are_ignored(tmp_path: Path) -> None:
    document = deepcopy(DOCUMENT)
    document["annotations"][0]["segments_info"][0]["iscrowd"] = 1
    document["annotations"][0]["segments_info"].append({"id": 4, "category_id": 1})
    sample = CocoPanoptic(tree(tmp_path, document, segments({1: 300, 2: 70_000, 255: 9})))[0]
    assert [pixels(mask) for mask in sample.objects] == [FIRST]
    assert set(pixels(sample.ignore)) == set(SECOND) | set(IGNORED)
    assert sample.left_out == (
        LeftOut("objects without a pixel"),
        LeftOut("segment 9 is not in the JSON file", "a.png"),
    )


def test_the_file_itself_can_be_given_and_the_images_may_lie_elsewhere(tmp_path: Path) -> None:
    tree(tmp_path / "x")
    put(tmp_path, {"other/a.jpg": image_file()})
    path = tmp_path / "x/annotations/panoptic_val.json"
    assert CocoPanoptic.recognise(path)
    assert not Coco.recognise(path)
    assert objects(CocoPanoptic(path, images=tmp_path / "other")) == [SECOND, FIRST]


def test_where_instances_lie_beside_it_the_folder_is_theirs(tmp_path: Path) -> None:
    tree(tmp_path)
    assert CocoPanoptic.recognise(tmp_path)
    put(tmp_path, {"annotations/instances_val.json": b"{}"})
    assert not CocoPanoptic.recognise(tmp_path)
    assert Coco.recognise(tmp_path)


def test_of_several_splits_one_must_be_chosen(tmp_path: Path) -> None:
    tree(tmp_path)
    put_json(tmp_path / "annotations/panoptic_train.json", DOCUMENT)
    with pytest.raises(DatasetError, match="2 splits and none is chosen"):
        CocoPanoptic(tmp_path)
    assert len(CocoPanoptic(tmp_path, split="val")) == 1


def test_the_png_decides_the_orientation(tmp_path: Path) -> None:
    sample = CocoPanoptic(tree(tmp_path, **{"val/a.jpg": turned_image(4, 6, 6)}))[0]
    assert sample.rgb.shape == (4, 6, 3)


def test_missing_images_are_named(tmp_path: Path) -> None:
    tree(tmp_path)
    (tmp_path / "val/a.jpg").unlink()
    with pytest.raises(DatasetError, match=r"images not found in .*: 1 \(a.jpg\)"):
        CocoPanoptic(tmp_path)


HOSTILE: list[Any] = [
    {},
    {"image_id": 9, "file_name": "a.png", "segments_info": []},
    {"image_id": 1, "file_name": "../a.png", "segments_info": []},
    {"image_id": 1, "file_name": 3, "segments_info": []},
    {"image_id": 1, "file_name": "a.png", "segments_info": 3},
    {"image_id": 1, "file_name": "a.png", "segments_info": [{"id": "x"}]},
    {"image_id": [], "file_name": "a.png", "segments_info": []},
]


@pytest.mark.parametrize("annotation", HOSTILE, ids=range(len(HOSTILE)))
def test_one_annotation_that_cannot_be_read_costs_only_itself(
    tmp_path: Path, annotation: object
) -> None:
    document = DOCUMENT | {"annotations": [annotation, *DOCUMENT["annotations"]]}
    dataset = CocoPanoptic(tree(tmp_path, document))
    assert objects(dataset) == [SECOND, FIRST]
    assert [each.fault for each in dataset.left_out] == ["panoptic_val.json, annotation 0"]


def test_images_outside_the_folder_are_left_out(tmp_path: Path) -> None:
    image = {"id": 2, "file_name": "../../a.jpg"}
    dataset = CocoPanoptic(tree(tmp_path, DOCUMENT | {"images": [image, *DOCUMENT["images"]]}))
    assert "is not a name for an image" in dataset.left_out[0].reason


@pytest.mark.parametrize("document", [[], {"images": 3}, {"images": []}, {"annotations": []}])
def test_documents_of_another_form_are_refused(tmp_path: Path, document: object) -> None:
    path = put_json(tmp_path / "panoptic_val.json", document)
    with pytest.raises(DatasetError):
        CocoPanoptic(path)


def test_a_png_that_is_none_is_refused(tmp_path: Path) -> None:
    dataset = CocoPanoptic(tree(tmp_path, png=b"no png"))
    with pytest.raises(DatasetError, match=r"a\.png is not a readable mask"):
        dataset[0]


def test_a_missing_image_is_not_taken_for_its_namesake(tmp_path: Path) -> None:
    document = deepcopy(DOCUMENT)
    document["images"] = [{"id": 1, "file_name": "x/a.jpg"}, {"id": 2, "file_name": "a.jpg"}]
    assert CocoPanoptic(tree(tmp_path, document))[0].path == tmp_path / "val/a.jpg"
    document["annotations"].append({**document["annotations"][0], "image_id": 2})
    with pytest.raises(DatasetError, match=r"not found in .*: 1 \(x/a\.jpg\)"):
        CocoPanoptic(tree(tmp_path, document))


def test_a_category_without_a_usable_id_is_passed_over(tmp_path: Path) -> None:
    document = deepcopy(DOCUMENT)
    document["categories"].append({"id": [], "name": "bird"})
    assert CocoPanoptic(tree(tmp_path, document)).class_names == ("a/b é", "dog")
