"""COCO panoptic, read with Pillow and the arithmetic of panopticapi."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from edgeflow.arrays import BoolMask
from edgeflow.data.left_out import LeftOut
from edgeflow.export.flat import BOXES, HIDDEN
from edgeflow.export.format import Choices
from edgeflow.export.formats.coco_panoptic import PATH
from edgeflow.export.splits import parse_splits
from tests.unit.edgeflow.export.exported import export
from tests.unit.edgeflow.export.formats.drawings import BOX, ODD_LABELS, SIZE, image, masks


def read(folder: Path, path: str = PATH) -> Any:
    return json.loads((folder / path).read_bytes())


def numbers_of(folder: Path, annotation: Any, path: str = PATH) -> npt.NDArray[np.int64]:
    """``rgb2id`` of an image's PNG."""
    file = (folder / path).with_suffix("") / annotation["file_name"]
    with Image.open(file) as png:
        assert png.mode == "RGB"
        colours = np.asarray(png).astype(np.int64)
    return colours[..., 0] + 256 * colours[..., 1] + 65536 * colours[..., 2]


def segments_of(folder: Path) -> list[tuple[Any, BoolMask]]:
    """The segments of the one image with their pixels, after a check of all that is said."""
    document = read(folder)
    (annotation,) = document["annotations"]
    assert [each["id"] for each in document["images"]] == [annotation["image_id"]]
    numbers = numbers_of(folder, annotation)
    segments = annotation["segments_info"]
    assert {0, *(each["id"] for each in segments)} == {0, *np.unique(numbers).tolist()}
    found = []
    for each in segments:
        mask: BoolMask = numbers == each["id"]
        rows, cols = np.nonzero(mask)
        left, top = cols.min(), rows.min()
        assert each["bbox"] == [left, top, cols.max() - left + 1, rows.max() - top + 1]
        assert (each["area"], each["iscrowd"]) == (len(rows), 0)
        found.append((each, mask))
    return found


@pytest.mark.parametrize("name", masks())
def test_masks_are_exact(tmp_path: Path, name: str) -> None:
    mask = masks()[name]
    assert export(tmp_path, "coco-panoptic", image(mask)) == []
    ((_, found),) = segments_of(tmp_path)
    assert (found == mask).all()


@settings(max_examples=30)
@given(drawn=st.lists(arrays(np.bool_, (6, 7)).filter(np.any), min_size=1, max_size=6))
def test_the_later_of_two_objects_is_on_top(
    tmp_path_factory: pytest.TempPathFactory, drawn: list[BoolMask]
) -> None:
    folder = tmp_path_factory.mktemp("panoptic")
    left_out = export(folder, "coco-panoptic", image(*drawn))
    visible = [
        mask & ~np.logical_or.reduce([np.zeros_like(mask), *drawn[place + 1 :]])
        for place, mask in enumerate(drawn)
    ]
    expected = [mask for mask in visible if mask.any()]
    found = [mask for _, mask in segments_of(folder)]
    assert len(found) == len(expected)
    assert all((one == other).all() for one, other in zip(found, expected, strict=True))
    assert left_out == [LeftOut(HIDDEN)] * (len(drawn) - len(expected))


def test_overlaps_can_be_a_fault(tmp_path: Path) -> None:
    mask = masks()["ring"]
    choices = Choices(overlap="error")
    (fault,) = export(tmp_path, "coco-panoptic", image(mask, mask), choices=choices)
    assert (fault.fault, "overlap" in fault.reason) == ("1.jpg", True)
    assert read(tmp_path)["images"] == []


def test_boxes_are_left_out(tmp_path: Path) -> None:
    assert export(tmp_path, "coco-panoptic", image(masks()["dot"], BOX)) == [LeftOut(BOXES)]
    assert len(segments_of(tmp_path)) == 1


def test_all_classes_are_things_with_colours(tmp_path: Path) -> None:
    dot = masks()["dot"]
    export(tmp_path, "coco-panoptic", image(dot, labels=(None,)), labels=ODD_LABELS)
    categories = read(tmp_path)["categories"]
    assert [each["name"] for each in categories] == [*ODD_LABELS, "unlabelled"]
    assert [each["id"] for each in categories] == list(range(1, len(categories) + 1))
    assert {each["isthing"] for each in categories} == {1}
    assert len({tuple(each["color"]) for each in categories}) == len(categories)
    assert segments_of(tmp_path)[0][0]["category_id"] == len(categories)


def test_ids_stay_and_fit_into_three_bytes(tmp_path: Path) -> None:
    pixels = np.arange(SIZE.height * SIZE.width).reshape(SIZE)
    dots = [pixels == number for number in range(500)]
    export(tmp_path / "few", "coco-panoptic", image(dots[0]))
    export(tmp_path / "many", "coco-panoptic", image(*dots))
    ids = [each["id"] for each, _ in segments_of(tmp_path / "many")]
    assert len(set(ids)) == 500
    assert all(0 < number < 1 << 24 for number in ids)
    assert ids[0] == segments_of(tmp_path / "few")[0][0]["id"]


def test_each_part_has_a_file_and_a_folder(tmp_path: Path) -> None:
    images = [image(masks()["ring"], key=str(number)) for number in range(20)]
    export(tmp_path, "coco-panoptic", *images, splits=parse_splits("train=1,val=1"))
    found = 0
    for split in ("train", "val"):
        path = f"annotations/panoptic_{split}.json"
        for annotation in read(tmp_path, path)["annotations"]:
            numbers_of(tmp_path, annotation, path)
            found += 1
    assert found == 20


def test_names_with_folders_lead_to_the_png(tmp_path: Path) -> None:
    export(tmp_path, "coco-panoptic", image(masks()["dot"], file_name="a/b.c/d.jpg"))
    assert len(segments_of(tmp_path)) == 1
    assert read(tmp_path)["images"][0]["file_name"] == "a/b.c/d.jpg"


def test_a_second_run_writes_the_same_bytes(tmp_path: Path) -> None:
    for run in "ab":
        export(tmp_path / run, "coco-panoptic", image(*masks().values()))
    for path in (PATH, "annotations/panoptic_default/1.png"):
        assert (tmp_path / "a" / path).read_bytes() == (tmp_path / "b" / path).read_bytes()
