from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from edgeflow.annotated import AnnotatedImage, AnnotatedObject, DrawnBox, Outlines, Shape
from edgeflow.arrays import BoolMask
from edgeflow.export.classes import UNLABELLED
from edgeflow.export.format import Choices
from edgeflow.export.formats.coco import PATH
from edgeflow.export.splits import parse_splits
from edgeflow.geometry import Size
from edgeflow.masks.patch import MaskPatch
from edgeflow.masks.rasterize import rasterize
from tests.unit.edgeflow.export.exported import categories, drawn, export, load, mask_of

SIZE = Size(40, 60)


def image(*shapes: Shape, key: str = "1", labels: tuple[str, ...] = ("a",)) -> AnnotatedImage:
    objects = tuple(AnnotatedObject(str(n), labels, shape) for n, shape in enumerate(shapes))
    size = shapes[0].image_size if shapes and isinstance(shapes[0], MaskPatch) else SIZE
    return AnnotatedImage(key, f"{key}.jpg", size, objects)


def written(folder: Path, *images: AnnotatedImage, labels: tuple[str, ...] = ("a",)) -> Any:
    assert export(folder, "coco", *images, labels=labels) == []
    return load(folder)


def masks() -> dict[str, BoolMask]:
    ring = np.zeros(SIZE, dtype=np.bool_)
    ring[5:30, 10:40] = True
    ring[12:20, 15:30] = False
    parts = np.zeros(SIZE, dtype=np.bool_)
    parts[0:3, 0:4] = parts[35:40, 50:60] = True
    line = np.zeros(SIZE, dtype=np.bool_)
    line[7, 3:55] = True
    dot = np.zeros(SIZE, dtype=np.bool_)
    dot[39, 59] = True
    return {"ring": ring, "two parts": parts, "line": line, "dot": dot, "all": ~(ring & False)}


@pytest.mark.parametrize("name", masks())
def test_masks_are_exact(tmp_path: Path, name: str) -> None:
    mask = masks()[name]
    coco = written(tmp_path, image(MaskPatch.of(mask)))
    (annotation,) = drawn(coco, "1.jpg")
    assert (mask_of(coco, annotation) == mask).all()
    assert isinstance(annotation["segmentation"]["counts"], str)


@given(
    mask=st.tuples(st.integers(1, 12), st.integers(1, 12)).flatmap(
        lambda shape: arrays(np.bool_, shape)
    )
)
def test_any_mask_is_exact(tmp_path_factory: pytest.TempPathFactory, mask: BoolMask) -> None:
    if mask.any():
        coco = written(tmp_path_factory.mktemp("coco"), image(MaskPatch.of(mask)))
        assert (mask_of(coco, drawn(coco, "1.jpg")[0]) == mask).all()


def outlines(*rings: Any) -> Outlines:
    polygons = tuple(np.array(ring, dtype=np.float64) for ring in rings)
    mask = np.logical_or.reduce([rasterize(ring - 0.5, SIZE) for ring in polygons])
    return Outlines(polygons, MaskPatch.of(mask))


def test_polygons_stay_polygons_and_are_measured_as_pycocotools_fills_them(tmp_path: Path) -> None:
    square, further = [[1, 2], [11, 2], [11, 22], [1, 22]], [[30, 5], [50, 5], [40.1236, 30]]
    coco = written(tmp_path, image(outlines(square, further)))
    (annotation,) = drawn(coco, "1.jpg")
    assert annotation["segmentation"] == [
        [1, 2, 11, 2, 11, 22, 1, 22],
        [30, 5, 50, 5, 40.124, 30],
    ]
    mask = mask_of(coco, annotation)
    assert mask[2:22, 1:11].all()
    assert annotation["area"] > 200


def test_a_polygon_that_pycocotools_would_not_fill_is_written_as_its_mask(tmp_path: Path) -> None:
    sliver = outlines([[11.3, 18.2], [12.3, 18.5], [11.7, 19.3]])
    coco = written(tmp_path, image(sliver))
    (annotation,) = drawn(coco, "1.jpg")
    assert (mask_of(coco, annotation) == sliver.mask.whole()).all()


def test_boxes_stay_boxes(tmp_path: Path) -> None:
    coco = written(tmp_path, image(DrawnBox(1.25, 2, 10.00049, 4)))
    (annotation,) = drawn(coco, "1.jpg")
    assert annotation["bbox"] == [1.25, 2, 10, 4]
    assert annotation["area"] == 40
    assert (annotation["segmentation"], annotation["iscrowd"]) == ([], 0)


def test_categories_are_the_declared_labels_in_their_order_used_or_not(tmp_path: Path) -> None:
    mask = MaskPatch.of(masks()["ring"])
    images = [image(mask, key=key, labels=(key,)) for key in ("zebra", "a/b é", "ape", "new")]
    coco = written(tmp_path, *images, labels=("zebra", "unused", "a/b é"))
    named = ["zebra", "unused", "a/b é", "ape", "new"]
    assert categories(coco) == list(enumerate(named, start=1))
    assert [drawn(coco, f"{key}.jpg")[0]["category"] for key in ("zebra", "a/b é", "ape")] == [
        "zebra",
        "a/b é",
        "ape",
    ]


def test_objects_without_a_label_have_a_category_of_their_own(tmp_path: Path) -> None:
    mask = MaskPatch.of(masks()["ring"])
    coco = written(tmp_path, image(mask), image(mask, key="2", labels=()))
    assert categories(coco) == [(1, "a"), (2, UNLABELLED)]
    assert [each["category"] for each in drawn(coco, "2.jpg")] == [UNLABELLED]


def test_images_without_objects_are_listed_with_their_size(tmp_path: Path) -> None:
    coco = written(tmp_path, image())
    (entry,) = coco.dataset["images"]
    assert (entry["file_name"], entry["width"], entry["height"]) == ("1.jpg", 60, 40)


def test_ids_stay_when_other_images_and_objects_come_and_go(tmp_path: Path) -> None:
    ring, line = (MaskPatch.of(masks()[name]) for name in ("ring", "line"))
    before = written(tmp_path, image(ring, key="2"))
    after = written(tmp_path, image(line), image(ring, line, key="2"), image(key="3"))
    one, two = drawn(before, "2.jpg")[0], drawn(after, "2.jpg")[0]
    assert (one["id"], one["image_id"]) == (two["id"], two["image_id"])
    ids = [each["id"] for each in after.dataset["annotations"]]
    assert len(set(ids)) == 3
    assert all(0 < number <= 1 << 52 for number in ids)


def test_a_second_run_writes_the_same_bytes(tmp_path: Path) -> None:
    images = [image(MaskPatch.of(mask), key=name) for name, mask in masks().items()]
    for run in "ab":
        written(tmp_path / run, *images)
    assert (tmp_path / "a" / PATH).read_bytes() == (tmp_path / "b" / PATH).read_bytes()


def test_text_of_any_kind_is_json(tmp_path: Path) -> None:
    odd = image(MaskPatch.of(masks()["dot"]), labels=("\ud800", "b"))
    coco = written(tmp_path, odd, labels=())
    assert categories(coco) == [(1, "\ud800")]


@pytest.mark.parametrize("name", masks())
def test_polygons_in_place_of_codes_cover_nearly_the_same(tmp_path: Path, name: str) -> None:
    mask = MaskPatch.of(masks()[name])
    assert export(tmp_path, "coco", image(mask), choices=Choices(polygons=True)) == []
    coco = load(tmp_path)
    (annotation,) = drawn(coco, "1.jpg")
    assert MaskPatch.of(mask_of(coco, annotation)).iou(mask) >= 0.98


def test_each_part_has_a_file(tmp_path: Path) -> None:
    mask = MaskPatch.of(masks()["ring"])
    images = [image(mask, key=str(number)) for number in range(40)]
    export(tmp_path, "coco", *images, splits=parse_splits("train=3,val=1"))
    parts = {
        split: json.loads((tmp_path / f"annotations/instances_{split}.json").read_bytes())
        for split in ("train", "val")
    }
    assert {part: len(read["annotations"]) for part, read in parts.items()} == {
        part: len(read["images"]) for part, read in parts.items()
    }
    assert sum(len(read["images"]) for read in parts.values()) == 40
    assert len(parts["train"]["images"]) > len(parts["val"]["images"]) > 0
