from __future__ import annotations

import base64
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image, ImageDraw

from edgeflow.annotated import AnnotatedImage
from edgeflow.arrays import BoolMask
from edgeflow.data.left_out import LeftOut
from edgeflow.export.classes import UNLABELLED
from edgeflow.export.pictures import FilePicture
from edgeflow.export.splits import parse_splits
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
    photo,
)

KEYS = {"label", "points", "group_id", "description", "shape_type", "flags", "mask"}


def read(folder: Path, name: str = "pic") -> dict[str, Any]:
    """The JSON, checked as labelme's ``_load_shape_json_obj`` checks it."""
    document: dict[str, Any] = json.loads((folder / f"{name}.json").read_bytes())
    assert {"version", "flags", "imageData"} < document.keys()
    for each in document["shapes"]:
        assert each.keys() == KEYS
        assert isinstance(each["label"], str)
        assert all(len(point) == 2 for point in each["points"])
        assert each["group_id"] is None or isinstance(each["group_id"], int)
    return document


def mask_of(shape: dict[str, Any], document: dict[str, Any]) -> BoolMask:
    """As labelme's ``shapes_to_label`` places it."""
    mask = np.zeros((document["imageHeight"], document["imageWidth"]), dtype=np.bool_)
    if shape["shape_type"] == "polygon":
        canvas = Image.fromarray(mask.astype(np.uint8))
        points = [(x, y) for x, y in shape["points"]]
        ImageDraw.Draw(canvas).polygon(points, outline=1, fill=1)
        return np.asarray(canvas).astype(np.bool_)
    assert shape["shape_type"] == "mask"
    (x1, y1), (x2, y2) = np.asarray(shape["points"]).astype(int)
    crop = np.asarray(Image.open(io.BytesIO(base64.b64decode(shape["mask"]))))
    assert crop.max() == 1
    mask[y1 : y2 + 1, x1 : x2 + 1] = crop.astype(np.bool_)
    return mask


@pytest.mark.parametrize("name", masks())
def test_a_mask_is_one_shape_and_exact(tmp_path: Path, name: str) -> None:
    mask = masks()[name]
    assert export(tmp_path, "labelme", image(mask, label=ODD)) == []
    document = read(tmp_path)
    (shape,) = document["shapes"]
    assert (mask_of(shape, document) == mask).all()
    assert (shape["label"], shape["group_id"]) == (ODD, None)


@given(
    mask=st.tuples(st.integers(1, 12), st.integers(1, 12)).flatmap(
        lambda shape: arrays(np.bool_, shape)
    )
)
def test_any_mask_is_exact(tmp_path_factory: pytest.TempPathFactory, mask: BoolMask) -> None:
    if mask.any():
        folder = tmp_path_factory.mktemp("labelme")
        whole = np.zeros(SIZE, dtype=np.bool_)
        whole[3 : 3 + mask.shape[0], 4 : 4 + mask.shape[1]] = mask
        export(folder, "labelme", image(whole, picture=False))
        document = read(folder)
        assert (mask_of(document["shapes"][0], document) == whole).all()


def test_overlapping_objects_keep_all_of_their_pixels(tmp_path: Path) -> None:
    ring, over = masks()["ring"], masks()["over the ring"]
    assert export(tmp_path, "labelme", image(ring, over)) == []
    document = read(tmp_path)
    drawn = [mask_of(shape, document) for shape in document["shapes"]]
    assert (drawn[0] == ring).all()
    assert (drawn[1] == over).all()


def test_polygons_stay_polygons_and_those_of_an_object_are_grouped(tmp_path: Path) -> None:
    single = outlines([[1, 1], [9, 1], [9, 9]])
    assert export(tmp_path, "labelme", image(single, PAIR, labels=("a", ODD))) == []
    document = read(tmp_path)
    alone, one, two = document["shapes"]
    assert {each["shape_type"] for each in document["shapes"]} == {"polygon"}
    assert (alone["group_id"], one["group_id"], two["group_id"]) == (None, 2, 2)
    assert one["points"] == [[45, 20], [50, 20], [50, 25.5], [45, 25.5]]
    assert two["points"] == [[52.25, 20], [57, 20], [57, 30.123]]
    filled = mask_of(one, document) | mask_of(two, document)
    assert (filled & PAIR.mask.whole()).sum() == PAIR.mask.pixels.sum()


def test_boxes_are_rectangles(tmp_path: Path) -> None:
    assert export(tmp_path, "labelme", image(BOX)) == []
    (shape,) = read(tmp_path)["shapes"]
    assert (shape["shape_type"], shape["mask"]) == ("rectangle", None)
    assert shape["points"] == [[1.25, 2], [11.25, 6]]


def test_labels_are_what_they_were_and_listed_in_lines(tmp_path: Path) -> None:
    labels = (HOSTILE, ODD)
    picture = image(*list(masks().values())[:3], labels=(*labels, None))
    assert export(tmp_path, "labelme", picture, labels=labels) == []
    assert [each["label"] for each in read(tmp_path)["shapes"]] == [*labels, UNLABELLED]
    lines = (tmp_path / "labels.txt").read_text("utf-8").split("\n")
    assert lines == ["q\"u'o<t>e&_, _:#;", ODD, UNLABELLED, ""]


def test_the_picture_lies_beside_the_json_in_the_size_of_the_objects(tmp_path: Path) -> None:
    turned = Image.fromarray(np.rot90(photo()))
    exif = turned.getexif()
    exif[0x0112] = 6
    turned.save(tmp_path / "t.jpg", exif=exif)
    objects = image(masks()["ring"]).objects
    picture = FilePicture(tmp_path / "t.jpg", SIZE)
    images = [AnnotatedImage("1", "sub/t.jpg", SIZE, objects, picture), image(masks()["dot"])]
    assert export(tmp_path / "out", "labelme", *images) == []
    for name in ("sub/t", "pic"):
        document = read(tmp_path / "out", name)
        assert "/" not in document["imagePath"]
        with Image.open((tmp_path / "out" / name).parent / document["imagePath"]) as beside:
            assert beside.size == (document["imageWidth"], document["imageHeight"]) == (60, 40)
            assert beside.getexif().get(0x0112, 1) == 1


def test_without_the_picture_the_json_is_written_and_it_is_told(tmp_path: Path) -> None:
    told = export(tmp_path, "labelme", image(masks()["dot"], picture=False))
    assert told == [LeftOut("its picture is not at hand", "pic.png")]
    assert len(read(tmp_path)["shapes"]) == 1


def test_each_part_is_a_folder(tmp_path: Path) -> None:
    images = [image(masks()["dot"], key=f"p{n}", picture=False) for n in range(20)]
    export(tmp_path, "labelme", *images, splits=parse_splits("train=1,val=1"))
    parts = {
        part: {path.stem for path in (tmp_path / part).glob("*.json")} for part in ("train", "val")
    }
    assert parts["train"] | parts["val"] == {f"p{n}" for n in range(20)}
    assert not parts["train"] & parts["val"]
    assert (tmp_path / "labels.txt").is_file()
