from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from edgeflow.data.base import DatasetError
from edgeflow.data.layouts.labelme import Labelme
from edgeflow.data.left_out import LeftOut
from tests.unit.edgeflow.data.making import (
    FIRST,
    SECOND,
    TWO_OBJECTS,
    Array,
    encoded,
    huge_png,
    image_file,
    objects,
    pixels,
    put,
    put_json,
    turned_image,
)

SQUARE = [[1, 1], [2.9, 1], [2, 2], [1, 2.5]]


def shape(kind: object, points: object, label: object = "cat", **more: object) -> dict[str, Any]:
    return {"label": label, "points": points, "shape_type": kind, "group_id": None, **more}


def mask_shape(left: int, top: int, crop: Array, **more: object) -> dict[str, Any]:
    corners = [[left, top], [left + crop.shape[1] - 1, top + crop.shape[0] - 1]]
    code = base64.b64encode(encoded(crop)).decode()
    return shape("mask", corners, **{"mask": code, **more})


def tree(root: Path, *shapes: object, **document: object) -> Path:
    size = {"imageHeight": 4, "imageWidth": 6}
    put(root, {"a.jpg": image_file()})
    put_json(root / "a.json", {"shapes": shapes, "imagePath": "a.jpg", **size, **document})
    return root


def test_polygons_and_masks_are_objects(tmp_path: Path) -> None:
    crop = (TWO_OBJECTS[1:3, 4:5] > 0).astype(np.uint8)
    dataset = Labelme(tree(tmp_path, shape("polygon", SQUARE), mask_shape(4, 1, crop, label="é/b")))
    assert objects(dataset) == [FIRST, SECOND]
    assert dataset[0].labels == ("cat", "é/b")
    assert dataset[0].file_name == "a.jpg"


@pytest.mark.parametrize("values", ["uint8", "255", "bool"])
def test_a_mask_keeps_its_holes_and_parts(tmp_path: Path, values: str) -> None:
    crop = np.array([[1, 0, 1, 0], [1, 1, 1, 0], [0, 0, 0, 1]], dtype=np.uint8)
    stored = {"uint8": crop, "255": crop * np.uint8(255), "bool": crop > 0}[values]
    expected = np.zeros((4, 6), dtype=np.bool_)
    expected[1:4, 1:5] = crop > 0
    assert np.array_equal(Labelme(tree(tmp_path, mask_shape(1, 1, stored)))[0].objects[0], expected)


def test_a_group_is_one_object(tmp_path: Path) -> None:
    dot = np.ones((1, 1), dtype=np.uint8)
    root = tree(
        tmp_path,
        mask_shape(0, 0, dot, group_id=3),
        mask_shape(1, 0, dot),
        mask_shape(2, 0, dot, group_id=3),
        mask_shape(3, 0, dot, group_id=3, label="dog"),
        mask_shape(4, 0, dot),
    )
    assert objects(Labelme(root)) == [[(0, 0), (0, 2)], [(0, 1)], [(0, 3)], [(0, 4)]]
    assert Labelme(root)[0].labels == ("cat", "cat", "dog", "cat")


def test_outlines_and_circles_are_filled_as_labelme_fills_them(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    outlines = (rng.random((20, 7, 2)) * (90, 70) - 5).tolist()
    circle = [[30.7, 20.2], [41.1, 25.9]]
    shapes = [shape("polygon", each) for each in outlines] + [shape("circle", circle)]
    tree(tmp_path, *shapes, imageHeight=61, imageWidth=83)
    put(tmp_path, {"a.jpg": image_file(61, 83)})
    masks = Labelme(tmp_path)[0].objects
    assert len(masks) == 21
    for mask, outline in zip(masks, outlines, strict=False):
        expected = Image.new("L", (83, 61))
        ImageDraw.Draw(expected).polygon([tuple(each) for each in outline], outline=1, fill=1)
        assert np.array_equal(mask, np.asarray(expected) > 0)
    expected = Image.new("L", (83, 61))
    radius = float(np.hypot(41.1 - 30.7, 25.9 - 20.2))
    box = (30.7 - radius, 20.2 - radius, 30.7 + radius, 20.2 + radius)
    ImageDraw.Draw(expected).ellipse(box, outline=1, fill=1)
    assert np.mean(masks[20] != (np.asarray(expected) > 0)) < 0.01


def test_what_covers_nothing_is_left_out(tmp_path: Path) -> None:
    kinds = ["rectangle", "point", "linestrip", "\x1b[31m"]
    sample = Labelme(tree(tmp_path, *(shape(kind, [[1, 1], [3, 3]]) for kind in kinds)))[0]
    assert sample.objects == ()
    assert [each.reason for each in sample.left_out] == [
        "shapes of type rectangle", "shapes of type point", "shapes of type linestrip",
        "shapes of type unknown",
    ]  # fmt: skip


DOT = np.ones((1, 1), dtype=np.uint8)
DAMAGED: list[Any] = [
    3, {}, shape("polygon", 3), shape("polygon", [[0, 0], [1]]), shape("polygon", [[0, 0], [1, 1]]),
    shape("polygon", [[0, 0], [1, 1], ["a", 2]]), shape("polygon", [[0, 0], [1e9, 1], [1, 2]]),
    shape(3, SQUARE), shape("mask", [[0, 0], [0, 0]]), mask_shape(0, 0, DOT, mask="@"),
    mask_shape(0, 0, DOT, mask=base64.b64encode(huge_png()).decode()),
    mask_shape(0, 0, DOT, mask=base64.b64encode(image_file()).decode()),
    mask_shape(6, 0, DOT), mask_shape(-1, 0, DOT), mask_shape(0, 0, np.ones((5, 1), np.uint8)),
    shape("mask", [[0, 0], [900_000, 900_000]], mask=base64.b64encode(huge_png()).decode()),
    shape("mask", [[3, 3], [0, 0]], mask=""),
]  # fmt: skip


@pytest.mark.parametrize("damaged", DAMAGED, ids=range(len(DAMAGED)))
def test_one_shape_that_cannot_be_read_costs_only_itself(tmp_path: Path, damaged: object) -> None:
    sample = Labelme(tree(tmp_path, damaged, shape("polygon", SQUARE)))[0]
    assert [pixels(mask) for mask in sample.objects] == [FIRST]
    assert len(sample.left_out) == 1
    assert sample.left_out[0].fault.startswith("a.json, ")


def test_labels_that_are_none_are_none(tmp_path: Path) -> None:
    labels = ["", None, 3]
    sample = Labelme(tree(tmp_path, *(shape("polygon", SQUARE, each) for each in labels)))[0]
    assert sample.labels == (None,) * 3


def test_the_image_is_looked_for_by_its_name_then_beside_then_in_the_file(tmp_path: Path) -> None:
    root = tree(tmp_path, shape("polygon", SQUARE), imagePath="..\\x\\b.jpg")
    assert Labelme(root)[0].file_name == "a.jpg"
    put(root, {"b.jpg": image_file(kind="PNG")})
    assert Labelme(root)[0].rgb[3, 0, 0] == 60  # lossless: it was b.jpg
    for name in ("a.jpg", "b.jpg"):
        (root / name).unlink()
    with pytest.raises(DatasetError, match=r"its image 'b\.jpg' is not in"):
        Labelme(root)[0]
    document = {"imageData": base64.b64encode(image_file()).decode(), "imagePath": "b.jpg"}
    tree(root, shape("polygon", SQUARE), **document)
    (root / "a.jpg").unlink()
    assert objects(Labelme(root)) == [FIRST]


def test_files_in_folders_are_read_with_the_images_elsewhere(tmp_path: Path) -> None:
    tree(tmp_path / "set/train", shape("polygon", SQUARE))
    (tmp_path / "set/train/a.jpg").rename(tmp_path / "a.jpg")
    assert Labelme.recognise(tmp_path / "set")
    dataset = Labelme(tmp_path / "set", images=tmp_path)
    assert dataset.sample_names == ("train/a",)
    assert objects(dataset) == [FIRST]
    assert Labelme.recognise(tmp_path / "set/train/a.json")
    assert objects(Labelme(tmp_path / "set/train/a.json", images=tmp_path)) == [FIRST]


def test_the_size_decides_the_orientation(tmp_path: Path) -> None:
    root = tree(tmp_path, shape("polygon", SQUARE), imageHeight=6, imageWidth=4)
    put(root, {"a.jpg": turned_image(4, 6, 6)})
    assert Labelme(root)[0].rgb.shape == (6, 4, 3)
    put_json(root / "a.json", {"shapes": [], "imageHeight": 5, "imageWidth": 4})
    with pytest.raises(DatasetError, match="has 4×6 pixels"):
        Labelme(root)[0]


def test_other_json_files_are_passed_over(tmp_path: Path) -> None:
    tree(tmp_path, shape("polygon", SQUARE))
    put_json(tmp_path / "b.json", {"images": []})
    assert Labelme(tmp_path).sample_names == ("a",)
    (tmp_path / "a.json").unlink()
    assert not Labelme.recognise(tmp_path)
    with pytest.raises(DatasetError, match="holds no annotated image"):
        Labelme(tmp_path)


def test_very_many_points_are_read_or_refused_alone(tmp_path: Path) -> None:
    turn = np.linspace(0, 2 * np.pi, 50_000)
    ring = (np.stack((np.cos(turn), np.sin(turn)), axis=1) * (2, 1.5) + (3, 2)).round(2).tolist()
    shapes = [shape("polygon", each) for each in (ring, "many", [[1e8, 0]] * 9)]
    file = tree(tmp_path, *shapes) / "a.json"
    many = ",".join(["[0,0]"] * 1_000_001)
    file.write_text(file.read_text(encoding="utf-8").replace('"many"', f"[{many}]"), "utf-8")
    sample = Labelme(tmp_path)[0]
    assert len(sample.objects) == 1
    assert sample.left_out == (
        LeftOut("it has 1000001 points, more than 1000000", "a.json, shape 1"),
        LeftOut("it has points that are not numbers, or are far off the image", "a.json, shape 2"),
    )


@pytest.mark.parametrize("name", ["a.jpg.json", "other.json", "x/first.json"])
def test_the_image_is_called_after_its_own_file(tmp_path: Path, name: str) -> None:
    folder = (tmp_path / name).parent
    tree(folder, shape("polygon", SQUARE))
    (folder / "a.json").rename(tmp_path / name)
    sample = Labelme(tmp_path)[0]
    assert sample.path == folder / "a.jpg"
    assert sample.file_name == (folder / "a.jpg").relative_to(tmp_path).as_posix()
