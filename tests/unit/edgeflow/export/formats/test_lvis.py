"""LVIS, read as its own reader does: polygons and codes by pycocotools."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools import mask as coco

from edgeflow.annotated import Outlines
from edgeflow.arrays import BoolMask
from edgeflow.data.left_out import LeftOut
from edgeflow.export.flat import BOXES
from edgeflow.export.formats.lvis import PATH
from edgeflow.export.splits import parse_splits
from edgeflow.masks.patch import MaskPatch
from tests.unit.edgeflow.export.exported import export
from tests.unit.edgeflow.export.formats.drawings import BOX, ODD_LABELS, SIZE, image, masks


def read(folder: Path, path: str = PATH) -> Any:
    return json.loads((folder / path).read_bytes())


def mask_of(annotation: Any) -> BoolMask:
    """``LVIS.ann_to_mask``."""
    code = annotation["segmentation"]
    if isinstance(code, list):
        code = coco.merge(coco.frPyObjects(code, *SIZE))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # pycocotools and NumPy 2
        mask: BoolMask = coco.decode(code).astype(np.bool_)
    return mask


@pytest.mark.parametrize("name", masks())
def test_masks_are_exact(tmp_path: Path, name: str) -> None:
    mask = masks()[name]
    assert export(tmp_path, "lvis", image(mask)) == []
    (annotation,) = read(tmp_path)["annotations"]
    assert (mask_of(annotation) == mask).all()
    assert annotation["area"] == mask.sum()
    assert "iscrowd" not in annotation


def test_polygons_stay_polygons(tmp_path: Path) -> None:
    square = np.zeros(SIZE, dtype=np.bool_)
    square[2:22, 1:11] = True
    ring = np.array([[1, 2], [11, 2], [11, 22], [1, 22]], dtype=np.float64)
    export(tmp_path, "lvis", image(Outlines((ring,), MaskPatch.of(square))))
    (annotation,) = read(tmp_path)["annotations"]
    assert annotation["segmentation"] == [ring.ravel().tolist()]
    assert (mask_of(annotation) == square).all()


def test_boxes_are_left_out(tmp_path: Path) -> None:
    assert export(tmp_path, "lvis", image(masks()["dot"], BOX)) == [LeftOut(BOXES)]
    assert len(read(tmp_path)["annotations"]) == 1


def test_classes_say_how_often_they_occur(tmp_path: Path) -> None:
    dot = masks()["dot"]
    counts = {"rare": 10, "common": 11, "less common": 100, "frequent": 101}
    images = [
        image(dot, dot, key=f"{name} {number}", labels=(name,))
        for name, count in counts.items()
        for number in range(count)
    ]
    export(tmp_path, "lvis", *images, labels=("never", *counts))
    told = {each["name"]: each for each in read(tmp_path)["categories"]}
    assert {name: each["frequency"] for name, each in told.items()} == {
        "never": "r",
        "rare": "r",
        "common": "c",
        "less common": "c",
        "frequent": "f",
    }
    assert {name: each["image_count"] for name, each in told.items()} == {"never": 0} | counts
    assert told["common"]["instance_count"] == 22


def test_counts_are_those_of_the_training_images(tmp_path: Path) -> None:
    images = [image(masks()["dot"], key=str(number)) for number in range(30)]
    export(tmp_path, "lvis", *images, splits=parse_splits("train=2,val=1"))
    parts = [read(tmp_path, f"annotations/lvis_{split}.json") for split in ("train", "val")]
    assert len(parts[0]["images"]) + len(parts[1]["images"]) == 30
    assert parts[0]["categories"] == parts[1]["categories"]
    assert parts[0]["categories"][0]["image_count"] == len(parts[0]["images"]) > 10


def test_images_say_which_classes_are_absent(tmp_path: Path) -> None:
    dot = masks()["dot"]
    images = [image(dot, labels=("b",)), image(dot, key="2", labels=(None,)), image(key="3")]
    export(tmp_path, "lvis", *images, labels=("a", "b"))
    told = read(tmp_path)["images"]
    assert [each["neg_category_ids"] for each in told] == [[1, 3], [1, 2], [1, 2, 3]]
    assert [each["not_exhaustive_category_ids"] for each in told] == [[], [], []]
    assert told[0]["coco_url"] == "images/1.jpg"


def test_names_of_any_kind_are_kept(tmp_path: Path) -> None:
    export(tmp_path, "lvis", image(), labels=ODD_LABELS)
    categories = read(tmp_path)["categories"]
    assert [each["name"] for each in categories] == list(ODD_LABELS)
    assert [each["synonyms"] for each in categories] == [[name] for name in ODD_LABELS]
