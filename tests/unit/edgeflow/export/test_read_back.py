"""What any format writes, ``edgeflow datasets`` reads: the same pixels, classes and names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pycocotools import mask as coco
from typer.testing import CliRunner

from edgeflow.arrays import BoolMask
from edgeflow.cli import app
from edgeflow.data.base import DatasetError, Sample
from edgeflow.data.opening import open_dataset
from edgeflow.export.formats.table import FORMATS
from tests.unit.edgeflow.data.making import image_file, put, put_json

HEIGHT, WIDTH = 60, 90
ROWS, COLS = np.mgrid[:HEIGHT, :WIDTH]
RADIUS = np.hypot(ROWS - 25, COLS - 30)
OBJECTS: dict[str, BoolMask] = {
    "ring": (RADIUS < 18) & (RADIUS > 8),
    "a/b é": (COLS > 60) & (COLS < 80) & (ROWS > 5) & (ROWS < 15) & (COLS != 70),
    "line": (ROWS == 56) & (COLS > 5) & (COLS < 80),
    "dot": (ROWS == 2) & (COLS == 3),
    "on top": (RADIUS > 16) & (RADIUS < 20) & (ROWS > 30),
}
IMAGES = ("a.png", "sub/b c.png", "d.e.png")
UNREAD = {"overlay", "yolo-box"}
"""Pictures to look at, and boxes, which are no masks."""
SPLIT_APART = {"eiseg"}
"""A polygon is an object: one of two parts becomes two."""
BRIDGED = {"yolo-seg"}
"""The way from part to part is filled: one pixel wide here, and nine high at most."""
FLAT = {"coco-panoptic", "voc", "semantic", "instances"}
"""A pixel belongs to the uppermost object."""


def source(root: Path) -> Path:
    put(root, {f"images/{name}": image_file(HEIGHT, WIDTH, "PNG") for name in IMAGES})
    codes = [coco.encode(np.asfortranarray(mask.astype(np.uint8))) for mask in OBJECTS.values()]
    document = {
        "images": [
            {"id": number, "file_name": name, "height": HEIGHT, "width": WIDTH}
            for number, name in enumerate(IMAGES)
        ],
        "annotations": [
            {
                "id": 10 * number + category,
                "image_id": number,
                "category_id": category,
                "segmentation": {"size": [HEIGHT, WIDTH], "counts": code["counts"].decode()},
            }
            for number in range(len(IMAGES))
            for category, code in enumerate(codes)
        ],
        "categories": [{"id": number, "name": name} for number, name in enumerate(OBJECTS)],
    }
    put_json(root / "annotations/instances_x.json", document)
    return root


def truth(format: str) -> dict[str, BoolMask]:
    masks = dict(OBJECTS)
    if format in FLAT:
        masks["ring"] = masks["ring"] & ~masks["on top"]
    return masks


def exported(tmp_path: Path, format: str, *options: str) -> Path:
    out = tmp_path / format
    arguments = [str(source(tmp_path / "in")), "--format", format, "--output", str(out)]
    result = CliRunner().invoke(app, ["export", *arguments, "--pictures", "copy", *options])
    assert result.exit_code == 0, result.output
    return out


def check(sample: Sample, format: str) -> None:
    expected = truth(format)
    assert set(sample.labels) == set(expected)
    for label, mask in expected.items():
        parts = [
            each for each, name in zip(sample.objects, sample.labels, strict=True) if name == label
        ]
        assert len(parts) == 1 or format in SPLIT_APART
        whole = np.logical_or.reduce(parts)
        iou = np.count_nonzero(whole & mask) / np.count_nonzero(whole | mask)
        assert iou >= (0.9 if format in BRIDGED else 1), (label, iou)


@pytest.mark.parametrize("format", [each for each in FORMATS if each not in {*UNREAD, "cutouts"}])
def test_masks_classes_and_names_come_back(tmp_path: Path, format: str) -> None:
    dataset = open_dataset(exported(tmp_path, format))
    names = {name.removeprefix("train/"): name for name in dataset.sample_names}
    assert sorted(names) == ["a", "d.e", "sub/b c"]
    for index in range(len(dataset)):
        check(dataset[index], format)
        assert dataset[index].file_name == f"{dataset.sample_names[index]}.png"


def test_cutouts_come_back_with_their_classes(tmp_path: Path) -> None:
    dataset = open_dataset(exported(tmp_path, "cutouts"))
    samples = [dataset[index] for index in range(len(dataset))]
    assert sorted(label for each in samples for label in each.labels if label) == sorted(
        label for label in OBJECTS for _ in IMAGES
    )


def test_boxes_are_refused_and_lead_to_masks(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="holds boxes") as caught:
        open_dataset(exported(tmp_path, "yolo-box"))
    assert "edgeflow prelabel" in caught.value.hint
