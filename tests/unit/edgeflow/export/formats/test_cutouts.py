from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from edgeflow.annotated import AnnotatedImage
from edgeflow.data.left_out import LeftOut
from edgeflow.export.flat import BOXES
from edgeflow.export.format import Choices
from edgeflow.export.splits import parse_splits
from edgeflow.geometry import Size
from edgeflow.matting import cutout
from tests.unit.edgeflow.export.exported import PixelPicture, export
from tests.unit.edgeflow.export.formats.scene import (
    BOX,
    HOSTILE,
    ODD,
    PAIR,
    image,
    masks,
    photo,
)

HARD = Choices(soft=False)


def rgba(path: Path) -> Any:
    with Image.open(path) as read:
        assert read.mode == "RGBA"
        return np.asarray(read)


def table(folder: Path) -> list[dict[str, Any]]:
    return [
        json.loads(line) for line in (folder / "metadata.jsonl").read_text("utf-8").splitlines()
    ]


def test_each_object_is_cropped_into_a_folder_of_its_class(tmp_path: Path) -> None:
    ring, dot = masks()["ring"], masks()["dot"]
    picture = image(ring, dot, PAIR, labels=(ODD, "a", None), key="x/pic")
    assert export(tmp_path, "cutouts", picture, choices=HARD) == []
    wholes = [ring, dot, PAIR.mask.whole()]
    expected = [
        ("a_b é/x/pic_1.png", ODD, [10, 5, 30, 25]),
        ("a/x/pic_2.png", "a", [0, 39, 1, 1]),
        ("unlabelled/x/pic_3.png", "unlabelled", [45, 20, 12, 9]),
    ]
    assert table(tmp_path) == [
        {"file_name": path, "picture": "x/pic.png", "label": label, "box": box}
        for path, label, box in expected
    ]
    for (path, _, (left, top, width, height)), mask in zip(expected, wholes, strict=True):
        pixels = rgba(tmp_path / path)
        part = np.s_[top : top + height, left : left + width]
        assert (pixels[..., 3] == np.where(mask[part], 255, 0)).all()
        assert (pixels[..., :3][mask[part]] == photo()[part][mask[part]]).all()


def test_soft_edges_are_those_of_the_whole_picture(tmp_path: Path) -> None:
    size = Size(300, 320)
    rng = np.random.default_rng(5)
    rgb = rng.integers(0, 256, (*size, 3), dtype=np.uint8)
    mask = np.zeros(size, dtype=np.bool_)
    mask[140:170, 150:190] = True
    objects = image(mask).objects
    picture = AnnotatedImage("1", "big.png", size, objects, PixelPicture(rgb))
    assert export(tmp_path, "cutouts", picture) == []
    (entry,) = table(tmp_path)
    left, top, width, height = entry["box"]
    pixels = rgba(tmp_path / entry["file_name"])
    assert pixels.shape[:2] == (height, width)
    alpha = pixels[..., 3]
    assert alpha.any(axis=1).all()
    assert alpha.any(axis=0).all()
    whole = cutout(rgb, mask, soft=True)
    assert (pixels == whole[top : top + height, left : left + width]).all()
    assert np.count_nonzero(whole[..., 3]) == np.count_nonzero(alpha)


def test_lines_and_dots_that_a_soft_edge_would_take_away_stay(tmp_path: Path) -> None:
    line, dot = masks()["line"], masks()["dot"]
    assert export(tmp_path, "cutouts", image(line, dot)) == []
    for number, mask in enumerate((line, dot), start=1):
        assert (rgba(tmp_path / f"a/pic_{number}.png")[..., 3] == 255).sum() == mask.sum()


def test_objects_that_overlap_are_whole(tmp_path: Path) -> None:
    ring, over = masks()["ring"], masks()["over the ring"]
    assert export(tmp_path, "cutouts", image(ring, over), choices=HARD) == []
    areas = [np.count_nonzero(rgba(tmp_path / f"a/pic_{n}.png")[..., 3]) for n in (1, 2)]
    assert areas == [ring.sum(), over.sum()]


def test_whole_pictures_show_all_objects_at_their_place(tmp_path: Path) -> None:
    ring, dot = masks()["ring"], masks()["dot"]
    picture, empty = image(ring, dot, labels=("a", ODD)), image(key="none")
    choices = Choices(whole_images=True, soft=False)
    assert export(tmp_path, "cutouts", picture, empty, choices=choices) == []
    pixels = rgba(tmp_path / "pic.png")
    assert (pixels[..., 3] == np.where(ring | dot, 255, 0)).all()
    assert table(tmp_path) == [{"file_name": "pic.png", "picture": "pic.png", "labels": ["a", ODD]}]
    assert not (tmp_path / "none.png").exists()


def test_whole_pictures_are_cropped_on_demand(tmp_path: Path) -> None:
    ring, pair = masks()["ring"], PAIR.mask.whole()
    choices = Choices(whole_images=True, crop=True, soft=False)
    assert export(tmp_path, "cutouts", image(ring, PAIR), choices=choices) == []
    (entry,) = table(tmp_path)
    assert entry["box"] == [10, 5, 47, 25]
    alpha = rgba(tmp_path / "pic.png")[..., 3]
    assert (alpha == np.where(ring | pair, 255, 0)[5:30, 10:57]).all()


def test_objects_stay_at_their_place_on_demand(tmp_path: Path) -> None:
    ring, dot = masks()["ring"], masks()["dot"]
    for soft in (False, True):
        choices = Choices(crop=False, soft=soft)
        assert export(tmp_path, "cutouts", image(ring, dot), choices=choices) == []
        assert [each.get("box") for each in table(tmp_path)] == [None, None]
        for number, mask in enumerate((ring, dot), start=1):
            expected = cutout(photo(), mask, soft=soft)
            assert (rgba(tmp_path / f"a/pic_{number}.png") == expected).all()


def test_labels_that_would_be_one_folder_are_told_apart(tmp_path: Path) -> None:
    labels = ("a/b", "a_b", "A_B", HOSTILE, "metadata.jsonl")
    picture = image(*masks().values(), labels=labels)
    assert export(tmp_path, "cutouts", picture, labels=labels) == []
    entries = table(tmp_path)
    assert [each["label"] for each in entries] == list(labels)
    folders = [each["file_name"].split("/")[0] for each in entries]
    assert len({each.casefold() for each in folders}) == len(labels)
    assert folders[1] == "a_b"
    assert all((tmp_path / each["file_name"]).is_file() for each in entries)


def test_boxes_are_counted(tmp_path: Path) -> None:
    assert export(tmp_path, "cutouts", image(BOX, masks()["dot"])) == [LeftOut(BOXES)]
    assert (tmp_path / "a/pic_2.png").is_file()


def test_a_picture_that_is_not_at_hand_is_told(tmp_path: Path) -> None:
    (told,) = export(tmp_path, "cutouts", image(masks()["dot"], picture=False))
    assert told.fault == "pic.png"
    assert "its picture is not at hand" in told.reason


def test_each_part_is_a_folder(tmp_path: Path) -> None:
    images = [image(masks()["dot"], key=f"p{n}") for n in range(3)]
    export(tmp_path, "cutouts", *images, splits=parse_splits("train=1,val=1"))
    found = {part: table(tmp_path / part) for part in ("train", "val")}
    assert sorted(map(len, found.values())) == [0, 3]  # one picture, so one part
    for part, entries in found.items():
        assert all((tmp_path / part / each["file_name"]).is_file() for each in entries)
