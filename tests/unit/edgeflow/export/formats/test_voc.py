from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from PIL import Image

from edgeflow.annotated import AnnotatedImage, DrawnBox
from edgeflow.data.left_out import LeftOut
from edgeflow.export.flat import HIDDEN
from edgeflow.export.format import Choices, Overlap
from edgeflow.export.pictures import FilePicture
from edgeflow.export.splits import parse_splits
from edgeflow.geometry import Size
from edgeflow.masks.palette import voc_colour
from tests.unit.edgeflow.export.exported import export
from tests.unit.edgeflow.export.formats.scene import (
    BOX,
    HOSTILE,
    ODD,
    PAIR,
    SIZE,
    image,
    masks,
    photo,
)


def indices(path: Path) -> Any:
    """As torchvision and mmsegmentation read them: the palette's numbers, not its colours."""
    with Image.open(path) as read:
        assert read.mode == "P"
        assert (read.getpalette() or [])[3:6] == list(voc_colour(1))
        return np.asarray(read)


def annotation(folder: Path, name: str = "pic") -> ET.Element:
    return ET.parse(folder / f"Annotations/{name}.xml").getroot()


def objects(folder: Path, name: str = "pic") -> list[tuple[str | None, list[int]]]:
    return [
        (each.findtext("name"), [int(side.text or "") for side in each.iterfind("bndbox/*")])
        for each in annotation(folder, name).iterfind("object")
    ]


def test_masks_are_exact_with_holes_parts_lines_and_dots(tmp_path: Path) -> None:
    shapes = {name: mask for name, mask in masks().items() if name != "over the ring"}
    labels = (ODD, "a", ODD, "a")
    assert export(tmp_path, "voc", image(*shapes.values(), labels=labels), labels=("a", ODD)) == []
    numbers = indices(tmp_path / "SegmentationObject/pic.png")
    classes = indices(tmp_path / "SegmentationClass/pic.png")
    for number, mask in enumerate(shapes.values(), start=1):
        assert ((numbers == number) == mask).all()
    assert (classes == np.array([0, 2, 1, 2, 1])[numbers]).all()


@pytest.mark.parametrize(("overlap", "expected"), [("top", 1), ("smallest", 2)])
def test_overlaps_follow_the_users_rule(tmp_path: Path, overlap: Overlap, expected: int) -> None:
    ring, over = masks()["ring"], masks()["over the ring"]
    picture = image(over, ring, labels=(ODD, "a"))
    assert export(tmp_path, "voc", picture, labels=("a", ODD), choices=Choices(overlap)) == []
    assert (indices(tmp_path / "SegmentationClass/pic.png")[ring & over] == expected).all()


def test_boxes_are_counted_from_one_and_hold_their_last_pixel(tmp_path: Path) -> None:
    shapes = masks()
    assert export(tmp_path, "voc", image(shapes["ring"], shapes["dot"], PAIR, BOX)) == []
    assert objects(tmp_path) == [
        ("a", [11, 6, 40, 30]),
        ("a", [1, 40, 1, 40]),
        ("a", [46, 21, 57, 29]),
        ("a", [2, 3, 11, 6]),
    ]


def test_drawn_boxes_stay_in_the_image_and_have_a_pixel(tmp_path: Path) -> None:
    edge = DrawnBox(59.7, 39.8, 0.3, 0.2)
    whole = DrawnBox(0, 0, 60, 40)
    assert export(tmp_path, "voc", image(edge, whole)) == []
    assert objects(tmp_path) == [("a", [60, 40, 60, 40]), ("a", [1, 1, 60, 40])]
    assert annotation(tmp_path).findtext("segmented") == "0"


def test_the_kth_object_of_the_xml_is_object_k_of_the_picture(tmp_path: Path) -> None:
    under = masks()["ring"] & masks()["over the ring"]
    picture = image(BOX, under, masks()["ring"], masks()["dot"], labels=("box", "hid", "x", "y"))
    assert export(tmp_path, "voc", picture) == [LeftOut(HIDDEN)]
    assert [name for name, _ in objects(tmp_path)] == ["x", "y", "box", "hid"]
    numbers = indices(tmp_path / "SegmentationObject/pic.png")
    assert ((numbers == 1) == masks()["ring"]).all()
    assert ((numbers == 2) == masks()["dot"]).all()


def test_the_xml_tells_the_picture_and_its_size(tmp_path: Path) -> None:
    assert export(tmp_path, "voc", image(masks()["ring"])) == []
    root = annotation(tmp_path)
    about = {name: root.findtext(name) for name in ("folder", "filename", "segmented")}
    assert about == {"folder": "JPEGImages", "filename": "pic.png", "segmented": "1"}
    assert [side.text for side in root.iterfind("size/*")] == ["60", "40", "3"]


def test_labels_of_any_text_are_valid_and_told_apart(tmp_path: Path) -> None:
    labels = (HOSTILE, "b:c", "b_c", "background")
    pictures = image(*list(masks().values())[:4], labels=labels)
    assert export(tmp_path, "voc", pictures, labels=labels) == []
    names = [name for name, _ in objects(tmp_path)]
    assert names == [HOSTILE.replace("\x00", "\ufffd"), *labels[1:]]
    lines = (tmp_path / "labelmap.txt").read_text("utf-8").splitlines()
    fields = [line.split(":") for line in lines[1:]]
    assert {len(each) for each in fields} == {4}
    assert [each[0] for each in fields][:1] == ["background"]
    assert [each[0] for each in fields][2:] == ["b_c_", "b_c", "background_"]
    assert [each[1] for each in fields] == [",".join(map(str, voc_colour(n))) for n in range(5)]


def test_pictures_are_copied_and_keep_their_kind(tmp_path: Path) -> None:
    Image.fromarray(photo()).save(tmp_path / "a.webp", lossless=True)
    webp = AnnotatedImage("1", "x/a.webp", SIZE, (), FilePicture(tmp_path / "a.webp", SIZE))
    assert export(tmp_path / "out", "voc", webp, image(masks()["dot"])) == []
    copied = tmp_path / "out/JPEGImages/x/a.webp"
    assert copied.read_bytes() == (tmp_path / "a.webp").read_bytes()
    with Image.open(tmp_path / "out/JPEGImages/pic.png") as read:
        assert (np.asarray(read) == photo()).all()
    assert annotation(tmp_path / "out", "x/a").findtext("filename") == "x/a.webp"
    listed = (tmp_path / "out/ImageSets/Segmentation/trainval.txt").read_text("utf-8")
    assert listed == "x/a\npic\n"


def test_a_picture_that_is_not_at_hand_is_told_and_masks_are_written(tmp_path: Path) -> None:
    (left_out,) = export(tmp_path, "voc", image(masks()["dot"], picture=False))
    assert left_out == LeftOut("its picture is not at hand", "pic.png")
    assert (indices(tmp_path / "SegmentationObject/pic.png") == masks()["dot"]).all()


def test_each_part_has_a_list(tmp_path: Path) -> None:
    images = [image(masks()["dot"], key=f"p{number}", picture=False) for number in range(20)]
    export(tmp_path, "voc", *images, splits=parse_splits("train=1,val=1"))
    lists = tmp_path / "ImageSets/Segmentation"
    parts = {path.stem: path.read_text("utf-8").split() for path in lists.iterdir()}
    assert sorted(parts) == ["train", "val"]
    assert sorted(parts["train"] + parts["val"]) == sorted(f"p{number}" for number in range(20))
    assert all(parts.values())


def test_more_objects_than_numbers_are_told(tmp_path: Path) -> None:
    size = Size(16, 16)
    crowd = []
    for row, col in np.ndindex(16, 16):
        mask = np.zeros(size, dtype=np.bool_)
        mask[row, col] = True
        crowd.append(mask)
    most, more = (
        AnnotatedImage(key, f"{key}.png", size, image(*crowd[:count]).objects)
        for key, count in (("most", 254), ("more", 255))
    )
    (left_out,) = export(tmp_path, "voc", most, more, pictures="leave")
    assert left_out.fault == "more.png"
    assert "it has 255 objects" in left_out.reason
    assert indices(tmp_path / "SegmentationObject/most.png").max() == 254
