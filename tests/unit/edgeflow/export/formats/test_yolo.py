"""YOLO's files, read as Ultralytics 8.4 reads them."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import yaml

from edgeflow.arrays import BoolMask
from edgeflow.data.left_out import LeftOut
from edgeflow.export.flat import BOXES
from edgeflow.export.formats.yolo import TABLE
from edgeflow.export.splits import parse_splits
from edgeflow.geometry import Size
from edgeflow.masks.patch import MaskPatch
from tests.unit.edgeflow.export.exported import PixelPicture
from tests.unit.edgeflow.export.exported import export as exported
from tests.unit.edgeflow.export.formats.drawings import BOX, ODD_LABELS, SIZE, image, masks

export = partial(exported, pictures="leave")


class Label(NamedTuple):
    number: int
    values: npt.NDArray[np.float32]


def labels_of(folder: Path, picture: str) -> list[Label]:
    """The lines for a picture, found and checked as in ``img2label_paths``, ``verify_image_label``.

    Args:
        folder: Of ``data.yaml``.
        picture: Path of a picture in it, without extension.
    """
    before, _, after = f"/{picture}".rpartition("/images/")
    text = (folder / f"{before}/labels/{after}.txt".lstrip("/")).read_text("utf-8")
    rows = [line.split() for line in text.strip().splitlines()]
    labels = [Label(int(row[0]), np.array(row[1:], dtype=np.float32)) for row in rows]
    if any(len(row) > 6 for row in rows):
        assert not any(len(row) == 5 for row in rows), "labels mix segment and detection rows"
    assert all(each.values.min() >= 0 and each.values.max() <= 1 for each in labels)
    return labels


def mask_of(label: Label, size: Size) -> BoolMask:
    """``polygon2mask`` at the picture's size."""
    points = label.values.reshape(-1, 2) * np.array([size.width, size.height], dtype=np.float32)
    mask = np.zeros(size, dtype=np.uint8)
    polygons = np.asarray([points.reshape(-1)], dtype=np.int32)
    cv2.fillPoly(mask, list(polygons.reshape(1, -1, 2)), color=[1])
    return mask.astype(np.bool_)


def table_of(folder: Path) -> Any:
    return yaml.safe_load((folder / TABLE).read_text("utf-8"))


def test_outlines_become_the_masks_again(tmp_path: Path) -> None:
    drawn = masks()
    assert export(tmp_path, "yolo-seg", image(*drawn.values())) == []
    labels = labels_of(tmp_path, "images/train/1")
    assert len(labels) == len(drawn)
    for label, (name, mask) in zip(labels, drawn.items(), strict=True):
        filled = mask_of(label, SIZE)
        if name in {"two parts", "ring"}:  # the way between the parts
            assert (filled >= mask).all()
            assert np.count_nonzero(filled & ~mask) == {"two parts": 46, "ring": 1}[name]
        else:
            assert (filled == mask).all(), name


@pytest.mark.parametrize("size", [Size(5, 7), Size(1000, 30000), Size(1081, 1919)], ids=str)
def test_corners_of_pictures_of_any_size_are_exact(tmp_path: Path, size: Size) -> None:
    mask = np.zeros(size, dtype=np.bool_)
    mask[:2, :2] = mask[-2:, -2:] = mask[1, 1:] = mask[1:, -1] = True
    export(tmp_path, "yolo-seg", image(mask))
    (label,) = labels_of(tmp_path, "images/train/1")
    assert (mask_of(label, size) == mask).all()


def test_a_large_object_with_a_hole_and_a_part_nearby_is_nearly_exact(tmp_path: Path) -> None:
    mask = np.zeros((480, 640), dtype=np.uint8)
    cv2.ellipse(mask, (250, 240), (180, 120), 30, 0, 360, [1], -1)
    cv2.circle(mask, (230, 230), 40, [0], -1)
    cv2.circle(mask, (520, 200), 70, [1], -1)
    drawn = mask.astype(np.bool_)
    export(tmp_path, "yolo-seg", image(drawn))
    (label,) = labels_of(tmp_path, "images/train/1")
    filled = mask_of(label, Size(480, 640))
    assert MaskPatch.of(filled).iou(MaskPatch.of(drawn)) > 0.99


def test_boxes_are_the_objects_and_those_that_were_drawn(tmp_path: Path) -> None:
    mask = np.zeros(SIZE, dtype=np.bool_)
    mask[4:14, 20:26] = True
    assert export(tmp_path, "yolo-box", image(mask, BOX)) == []
    masked, drawn = labels_of(tmp_path, "images/train/1")
    scale = np.array([60, 40, 60, 40])
    assert np.allclose(masked.values * scale, [23, 9, 6, 10], atol=1e-4)
    assert np.allclose(drawn.values * scale, [6.25, 4.25, 10, 4.5], atol=1e-4)


def test_boxes_have_no_outline(tmp_path: Path) -> None:
    left_out = export(tmp_path, "yolo-seg", image(masks()["ring"], BOX))
    assert left_out == [LeftOut(BOXES)]
    assert len(labels_of(tmp_path, "images/train/1")) == 1


def test_a_mask_that_is_too_ragged_costs_nothing_but_itself(tmp_path: Path) -> None:
    dust = np.zeros((100, 100), dtype=np.bool_)
    dust[::3, ::3] = True
    (fault,) = export(tmp_path, "yolo-seg", image(~np.zeros_like(dust), dust))
    assert (fault.fault, "1156 parts" in fault.reason) == ("1.jpg", True)
    assert len(labels_of(tmp_path, "images/train/1")) == 1


@pytest.mark.parametrize("format", ["yolo-seg", "yolo-box"])
def test_a_picture_without_objects_has_an_empty_file(tmp_path: Path, format: str) -> None:
    export(tmp_path, format, image())
    assert (tmp_path / "labels/train/1.txt").read_bytes() == b""


def test_classes_are_numbered_from_0_in_their_order(tmp_path: Path) -> None:
    dot = masks()["dot"]
    export(tmp_path, "yolo-seg", image(dot, dot, labels=(None, "b")), labels=("unused", "b"))
    assert [each.number for each in labels_of(tmp_path, "images/train/1")] == [2, 1]
    assert table_of(tmp_path)["names"] == {0: "unused", 1: "b", 2: "unlabelled"}


def test_names_of_any_kind_are_yaml(tmp_path: Path) -> None:
    export(tmp_path, "yolo-box", image(BOX, labels=("no",)), labels=(*ODD_LABELS, "no", "1"))
    assert list(table_of(tmp_path)["names"].values()) == [*ODD_LABELS, "no", "1"]


def test_no_class_at_all_is_yaml(tmp_path: Path) -> None:
    export(tmp_path, "yolo-box", image(), labels=())
    assert table_of(tmp_path)["names"] == {}


@pytest.mark.parametrize(
    ("splits", "expected"),
    [
        ("", {"train": "train", "val": "train"}),
        ("train=8,val=1,test=1", {"train": "train", "val": "val", "test": "test"}),
        ("train=8,valid=2", {"train": "train", "val": "valid", "valid": "valid"}),
        ("a=1,b=1", {"train": "a", "val": "a", "a": "a", "b": "b"}),
    ],
    ids=["none", "three", "alias", "others"],
)
def test_train_and_val_lead_to_folders(
    tmp_path: Path, splits: str, expected: dict[str, str]
) -> None:
    images = [image(masks()["dot"], key=str(number)) for number in range(30)]
    export(tmp_path, "yolo-seg", *images, splits=parse_splits(splits))
    table = table_of(tmp_path)
    del table["names"]
    assert table == {key: f"images/{part}" for key, part in expected.items()}


def test_an_empty_part_does_not_count(tmp_path: Path) -> None:
    splits = parse_splits("val=1,train=1")
    alone = image(masks()["dot"])
    export(tmp_path, "yolo-seg", alone, splits=splits)
    table = table_of(tmp_path)
    assert table["train"] == table["val"] == f"images/{splits.of(alone)}"


def test_labels_lie_where_those_of_their_picture_are_looked_for(tmp_path: Path) -> None:
    mask = masks()["ring"]
    names = ["cat.jpg", "images/cat.jpg", "a/images/b/cat.jpg", "labels/cat.jpg"]
    images = [image(mask, key=str(number), file_name=name) for number, name in enumerate(names)]
    splits = parse_splits("train=1,val=1")
    export(tmp_path, "yolo-seg", *images, splits=splits)
    for each in images:
        assert len(labels_of(tmp_path, f"images/{splits.of(each)}/{each.file_name[:-4]}")) == 1


@pytest.mark.parametrize(
    ("splits", "parts"), [("", {"train"}), ("a=1,b=1", {"a", "b"})], ids=["none", "two"]
)
def test_pictures_lie_beside_their_labels(tmp_path: Path, splits: str, parts: set[str]) -> None:
    grey = PixelPicture(np.full((*SIZE, 3), 127, dtype=np.uint8))
    images = [
        replace(image(masks()["dot"], key=f"{number}"), picture=grey, file_name=f"a/{number}.jpg")
        for number in range(10)
    ]
    assert exported(tmp_path, "yolo-seg", *images, splits=parse_splits(splits)) == []
    found = {path.relative_to(tmp_path) for path in tmp_path.rglob("*.png")}
    assert {path.parts[1] for path in found} <= parts
    assert len(found) == 10
    for path in found:
        assert len(labels_of(tmp_path, str(path.with_suffix("")))) == 1


def test_a_second_run_writes_the_same_bytes(tmp_path: Path) -> None:
    for run in "ab":
        export(tmp_path / run, "yolo-seg", image(*masks().values()))
    files = [(tmp_path / run / "labels/train/1.txt").read_bytes() for run in "ab"]
    assert files[0] == files[1]
