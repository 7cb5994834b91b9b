from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from edgeflow.arrays import BoolMask
from edgeflow.export.classes import UNLABELLED
from edgeflow.export.splits import parse_splits
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
    outlines,
)


def root(folder: Path, name: str = "annotations.xml") -> ET.Element:
    return ET.parse(folder / name).getroot()


def shapes(folder: Path) -> list[ET.Element]:
    (picture,) = root(folder).iterfind("image")
    return list(picture)


def mask_of(element: ET.Element, size: tuple[int, int] = SIZE) -> BoolMask:
    """As CVAT's ``load_anno`` and its editor read it: runs by turns, row after row in the box."""
    assert element.tag == "mask"
    left, top, width, height = (
        int(element.attrib[name]) for name in ("left", "top", "width", "height")
    )
    runs = list(map(int, element.attrib["rle"].split(",")))
    assert sum(runs) == width * height
    values = [bool(turn % 2) for turn in range(len(runs))]
    mask = np.zeros(size, dtype=np.bool_)
    mask[top : top + height, left : left + width] = np.repeat(values, runs).reshape(height, width)
    return mask


@pytest.mark.parametrize("name", masks())
def test_masks_are_exact(tmp_path: Path, name: str) -> None:
    mask = masks()[name]
    assert export(tmp_path, "cvat", image(mask, label=ODD)) == []
    (element,) = shapes(tmp_path)
    assert (mask_of(element) == mask).all()
    assert element.attrib["label"] == ODD
    assert (element.attrib["occluded"], element.attrib["source"]) == ("0", "manual")


@given(
    mask=st.tuples(st.integers(1, 12), st.integers(1, 12)).flatmap(
        lambda shape: arrays(np.bool_, shape)
    )
)
def test_any_mask_is_exact(tmp_path_factory: pytest.TempPathFactory, mask: BoolMask) -> None:
    if mask.any():
        folder = tmp_path_factory.mktemp("cvat")
        whole = np.zeros(SIZE, dtype=np.bool_)
        whole[3 : 3 + mask.shape[0], 4 : 4 + mask.shape[1]] = mask
        export(folder, "cvat", image(whole))
        assert (mask_of(shapes(folder)[0]) == whole).all()


def test_objects_overlap_in_the_order_in_which_they_were_drawn(tmp_path: Path) -> None:
    drawn = [masks()["ring"], masks()["over the ring"], masks()["dot"]]
    assert export(tmp_path, "cvat", image(*drawn)) == []
    elements = shapes(tmp_path)
    assert [each.attrib["z_order"] for each in elements] == ["0", "1", "2"]
    for element, mask in zip(elements, drawn, strict=True):
        assert (mask_of(element) == mask).all()


def test_polygons_stay_polygons_and_those_of_an_object_are_grouped(tmp_path: Path) -> None:
    assert export(tmp_path, "cvat", image(outlines([[1, 1], [9, 1], [9, 9]]), PAIR)) == []
    alone, one, two = shapes(tmp_path)
    assert [each.tag for each in (alone, one, two)] == ["polygon"] * 3
    assert "group_id" not in alone.attrib
    assert one.attrib["group_id"] == two.attrib["group_id"] == "2"
    points = [
        [float(value) for value in pair.split(",")] for pair in two.attrib["points"].split(";")
    ]
    assert points == [[52.25, 20], [57, 20], [57, 30.123]]


def test_boxes_stay_boxes(tmp_path: Path) -> None:
    assert export(tmp_path, "cvat", image(BOX)) == []
    (element,) = shapes(tmp_path)
    assert element.tag == "box"
    corners = [float(element.attrib[name]) for name in ("xtl", "ytl", "xbr", "ybr")]
    assert corners == [1.25, 2, 11.25, 6]


def test_labels_of_any_text_are_valid_told_apart_and_coloured(tmp_path: Path) -> None:
    labels = (HOSTILE, ODD, "\x00", "\x01", "\ud800")
    picture = image(*masks().values(), labels=labels)
    assert export(tmp_path, "cvat", picture, image(PAIR, key="2", label=None), labels=labels) == []
    declared = list(root(tmp_path).iterfind("meta/task/labels/label"))
    names = [each.findtext("name") for each in declared]
    assert names == [
        HOSTILE.replace("\x00", "\ufffd"),
        ODD,
        "\ufffd",
        "\ufffd_",
        "\ufffd__",
        UNLABELLED,
    ]
    used = [
        each.attrib["label"] for picture in root(tmp_path).iterfind("image") for each in picture
    ]
    assert used == [*names, UNLABELLED]
    colours = [each.findtext("color") for each in declared]
    assert colours == ["#{:02x}{:02x}{:02x}".format(*voc_colour(n)) for n in range(1, 7)]


def test_images_are_numbered_and_have_their_size(tmp_path: Path) -> None:
    images = [image(masks()["dot"], key=key) for key in ("b & c", 'x/"y"')]
    assert export(tmp_path, "cvat", *images, image(key="none")) == []
    read = list(root(tmp_path).iterfind("image"))
    assert [each.attrib for each in read] == [
        {"id": str(number), "name": name, "width": "60", "height": "40"}
        for number, name in enumerate(["b & c.png", 'x/"y".png', "none.png"])
    ]
    assert root(tmp_path).findtext("meta/task/size") == "3"
    assert root(tmp_path).findtext("version") == "1.1"


def test_pictures_come_into_a_folder_if_they_are_wanted(tmp_path: Path) -> None:
    export(tmp_path, "cvat", image(masks()["dot"], key='x/"y"'), pictures="copy")
    (picture,) = root(tmp_path).iterfind("image")
    assert (tmp_path / "images" / picture.attrib["name"]).is_file()


def test_each_part_has_a_file(tmp_path: Path) -> None:
    images = [image(masks()["dot"], key=f"p{n}", picture=False) for n in range(20)]
    export(tmp_path, "cvat", *images, splits=parse_splits("train=1,val=1"))
    parts = [
        [each.attrib["name"] for each in root(tmp_path, f"{part}.xml").iterfind("image")]
        for part in ("train", "val")
    ]
    assert sorted(parts[0] + parts[1]) == sorted(f"p{n}.png" for n in range(20))
    assert all(parts)
    assert not (tmp_path / "annotations.xml").exists()
