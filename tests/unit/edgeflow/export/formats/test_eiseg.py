from __future__ import annotations

import base64
import contextlib
import io
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image
from pycocotools.coco import COCO

from edgeflow.annotated import AnnotatedImage
from edgeflow.data.left_out import LeftOut
from edgeflow.export.classes import UNLABELLED
from edgeflow.export.flat import BOXES
from edgeflow.export.format import Choices, Overlap
from edgeflow.export.pictures import FilePicture
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
    photo,
)

LABELS = ("a", ODD)


def pixels(path: Path) -> Any:
    with Image.open(path) as read:
        return np.asarray(read)


def drawn_by_eiseg(polygons: list[Any]) -> Any:
    """EISeg's ``getMask``: labels in their order, of each its polygons, cut down to integers."""
    mask = np.zeros(SIZE)
    for number in sorted({each["labelIdx"] for each in polygons}):
        for each in polygons:
            if each["labelIdx"] == number:
                cv2.fillPoly(mask, [np.array(each["points"]).astype(np.int32)], color=number)
    return mask


def imported_by_eiseg(path: Path) -> list[tuple[int, str, list[int]]]:
    """EISeg's ``importLabel``, which takes lines of five words alone."""
    lines = [
        line.replace("\n", "").strip(" ").split(" ") for line in path.read_text("utf-8").split("\n")
    ]
    return [
        (int(words[0]), words[1], list(map(int, words[2:]))) for words in lines if len(words) == 5
    ]


def test_all_files_have_eisegs_names(tmp_path: Path) -> None:
    assert export(tmp_path, "eiseg", image(masks()["ring"], key="sub/pic")) == []
    names = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert names == {
        ".edgeflow-export.jsonl",
        "annotations.json",
        "autosave_label.txt",
        "labelme/labels.txt",
        "labelme/sub/pic_labelme.json",
        "sub/pic.json",
        "sub/pic.png",
        "sub/pic_cutout.png",
        "sub/pic_pseudo.png",
    }


def test_pictures_hold_the_classes_their_colours_and_the_cut_out(tmp_path: Path) -> None:
    ring, over = masks()["ring"], masks()["over the ring"]
    assert export(tmp_path, "eiseg", image(ring, over, labels=LABELS), labels=LABELS) == []
    grey = pixels(tmp_path / "pic.png")
    assert (grey == np.where(over, 2, np.where(ring, 1, 0))).all()
    assert grey.dtype == np.uint8
    assert grey.ndim == 2
    colours = np.array([voc_colour(number) for number in range(3)])
    assert (pixels(tmp_path / "pic_pseudo.png") == colours[grey]).all()
    cutout = pixels(tmp_path / "pic_cutout.png")
    assert (cutout[grey > 0][:, :3] == photo()[grey > 0]).all()
    assert (cutout[grey > 0][:, 3] == 255).all()
    assert (cutout[grey == 0] == (0, 0, 128, 255)).all()


@pytest.mark.parametrize(("overlap", "expected"), [("top", 1), ("smallest", 2)])
def test_overlaps_follow_the_users_rule(tmp_path: Path, overlap: Overlap, expected: int) -> None:
    ring, over = masks()["ring"], masks()["over the ring"]
    picture = image(over, ring, labels=(ODD, "a"))
    assert export(tmp_path, "eiseg", picture, labels=LABELS, choices=Choices(overlap)) == []
    assert (pixels(tmp_path / "pic.png")[ring & over] == expected).all()


def test_eiseg_draws_its_own_json_to_the_very_same_picture(tmp_path: Path) -> None:
    shapes = masks()
    labels = ("a", ODD, "a", ODD, ODD)
    assert export(tmp_path, "eiseg", image(*shapes.values(), labels=labels), labels=LABELS) == []
    polygons = json.loads((tmp_path / "pic.json").read_bytes())
    assert (drawn_by_eiseg(polygons) == pixels(tmp_path / "pic.png")).all()
    assert [each["name"] for each in polygons] == ["a", ODD, ODD, "a", ODD, ODD]
    assert {tuple(each) for each in polygons} == {("name", "labelIdx", "color", "points")}
    assert polygons[1]["color"] == list(voc_colour(2))


def test_what_was_drawn_as_polygons_is_drawn_by_eiseg_as_it_is(tmp_path: Path) -> None:
    assert export(tmp_path, "eiseg", image(PAIR)) == []
    polygons = json.loads((tmp_path / "pic.json").read_bytes())
    assert len(polygons) == 2
    assert (drawn_by_eiseg(polygons) == PAIR.mask.whole()).all()


def test_pictures_come_into_the_folder_if_they_are_wanted(tmp_path: Path) -> None:
    export(tmp_path, "eiseg", image(masks()["dot"]), pictures="copy")
    assert (pixels(tmp_path / "images/pic.png") == photo()).all()
    parts = tmp_path / "parts"
    splits = parse_splits("train=1,val=1")
    export(parts, "eiseg", image(masks()["dot"]), pictures="copy", splits=splits)
    (picture,) = parts.rglob("images/pic.png")
    assert picture.parents[2] == parts


def test_labelmes_json_holds_polygons_and_the_picture(tmp_path: Path) -> None:
    assert export(tmp_path, "eiseg", image(masks()["ring"], label=ODD), labels=LABELS) == []
    read = json.loads((tmp_path / "labelme/pic_labelme.json").read_bytes())
    (polygon,) = json.loads((tmp_path / "pic.json").read_bytes())
    assert read["shapes"] == [
        {
            "label": ODD,
            "points": polygon["points"],
            "group_id": None,
            "shape_type": "polygon",
            "flags": {},
        }
    ]
    assert (read["version"], read["flags"]) == ("1.1", {})
    assert (read["imagePath"], read["imageHeight"], read["imageWidth"]) == ("pic.png", 40, 60)
    shown = Image.open(io.BytesIO(base64.b64decode(read["imageData"])))
    assert (np.asarray(shown) == photo()).all()
    labels = (tmp_path / "labelme/labels.txt").read_text("utf-8")
    assert labels == f"__ignore__\na\n{ODD}\n"


def test_image_data_is_upright_and_of_a_kind_that_labelme_shows(tmp_path: Path) -> None:
    turned = Image.fromarray(np.rot90(photo()))
    exif = turned.getexif()
    exif[0x0112] = 6  # shown turned by 90° to the right
    turned.save(tmp_path / "turned.jpg", exif=exif, quality=95, subsampling=0)
    Image.fromarray(photo()).save(tmp_path / "deep.tif")
    Image.fromarray(photo()).save(tmp_path / "plain.jpg")
    images = [
        AnnotatedImage(name, name, SIZE, (), FilePicture(tmp_path / name, SIZE))
        for name in ("turned.jpg", "deep.tif", "plain.jpg")
    ]
    assert export(tmp_path / "out", "eiseg", *images) == []
    data = {
        name: base64.b64decode(
            json.loads((tmp_path / f"out/labelme/{name}_labelme.json").read_bytes())["imageData"]
        )
        for name in ("turned", "deep", "plain")
    }
    for name, kind in (("turned", "JPEG"), ("deep", "PNG"), ("plain", "JPEG")):
        shown = Image.open(io.BytesIO(data[name]))
        assert (shown.format, shown.size) == (kind, (60, 40))
        assert shown.getexif().get(0x0112, 1) == 1
    assert data["plain"] == (tmp_path / "plain.jpg").read_bytes()


def test_coco_has_an_annotation_for_each_polygon(tmp_path: Path) -> None:
    first = image(masks()["two parts"], PAIR, labels=("a", ODD), key="one")
    assert export(tmp_path, "eiseg", first, image(masks()["dot"], key="two"), labels=LABELS) == []
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO(str(tmp_path / "annotations.json"))
    assert [each["file_name"] for each in coco.imgs.values()] == ["one.png", "two.png"]
    assert next(iter(coco.imgs.values())) == {
        "id": next(iter(coco.imgs)),
        "width": 60,
        "height": 40,
        "file_name": "one.png",
        "license": "",
        "flickr_url": "",
        "coco_url": "",
        "date_captured": "",
    }
    assert coco.dataset["categories"] == [
        {"id": n, "name": name, "color": list(voc_colour(n)), "supercategory": ""}
        for n, name in enumerate(LABELS, start=1)
    ]
    assert [each["category_id"] for each in coco.anns.values()] == [1, 1, 2, 2, 1]
    corner, rest = list(coco.anns.values())[:2]
    assert (corner["bbox"], corner["area"], corner["iscrowd"]) == ([0, 0, 3, 2], 6, 0)
    assert (rest["bbox"], rest["area"]) == ([50, 35, 9, 4], 36)
    assert all(len(each["segmentation"][0]) >= 6 for each in coco.anns.values())
    assert len(coco.anns) == 5


def test_the_label_list_is_one_that_eiseg_imports(tmp_path: Path) -> None:
    labels = ("two words", "two_words", ODD, HOSTILE)
    assert export(tmp_path, "eiseg", image(masks()["dot"], label=ODD), labels=labels) == []
    read = imported_by_eiseg(tmp_path / "autosave_label.txt")
    assert [number for number, _, _ in read] == [1, 2, 3, 4]
    assert [name for _, name, _ in read][:3] == ["two_words_", "two_words", "a/b_é"]
    assert [colour for _, _, colour in read] == [list(voc_colour(n)) for n in (1, 2, 3, 4)]
    assert (tmp_path / "autosave_label.txt").read_bytes().startswith(b"1 two_words_ 128 0 0 \n")
    assert len((tmp_path / "labelme/labels.txt").read_text("utf-8").splitlines()) == 5


def test_objects_without_a_label_are_a_class(tmp_path: Path) -> None:
    assert export(tmp_path, "eiseg", image(masks()["ring"], label=None), labels=LABELS) == []
    assert pixels(tmp_path / "pic.png").max() == 3
    read = imported_by_eiseg(tmp_path / "autosave_label.txt")
    assert read[-1] == (3, UNLABELLED, list(voc_colour(3)))


def test_without_the_picture_all_but_the_cut_out_is_written(tmp_path: Path) -> None:
    (left_out,) = export(tmp_path, "eiseg", image(masks()["ring"], picture=False))
    assert left_out == LeftOut("no cut-out, no imageData: its picture is not at hand", "pic.png")
    assert not (tmp_path / "pic_cutout.png").exists()
    assert (pixels(tmp_path / "pic.png") == masks()["ring"]).all()
    read = json.loads((tmp_path / "labelme/pic_labelme.json").read_bytes())
    assert read["imageData"] is None


def test_a_picture_that_cannot_be_read_costs_the_cut_out_alone(tmp_path: Path) -> None:
    (tmp_path / "pic.png").write_bytes(b"no picture")
    broken = AnnotatedImage(
        "1", "pic.png", SIZE, image(masks()["dot"]).objects, FilePicture(tmp_path / "pic.png", SIZE)
    )
    (left_out,) = export(tmp_path / "out", "eiseg", broken)
    assert left_out.fault == "pic.png"
    assert (pixels(tmp_path / "out/pic.png") == masks()["dot"]).all()


def test_boxes_are_counted(tmp_path: Path) -> None:
    assert export(tmp_path, "eiseg", image(BOX, masks()["dot"])) == [LeftOut(BOXES)]


def test_a_class_that_8_bits_cannot_number_is_told(tmp_path: Path) -> None:
    labels = tuple(f"c{number}" for number in range(300))
    good, bad = image(masks()["dot"], label="c254"), image(masks()["dot"], key="x", label="c255")
    (left_out,) = export(tmp_path, "eiseg", good, bad, labels=labels)
    assert left_out.fault == "x.png"
    assert "'c255' is class 256" in left_out.reason
    assert pixels(tmp_path / "pic.png").max() == 255


def test_each_part_is_a_folder_of_eisegs(tmp_path: Path) -> None:
    images = [image(masks()["dot"], key=f"p{number}", picture=False) for number in range(20)]
    export(tmp_path, "eiseg", *images, splits=parse_splits("train=1,val=1"))
    counts = []
    for part in ("train", "val"):
        read = json.loads((tmp_path / part / "annotations.json").read_bytes())
        names = {each["file_name"].removesuffix(".png") for each in read["images"]}
        assert names == {
            path.stem for path in (tmp_path / part).glob("p*.png") if "_" not in path.stem
        }
        assert (tmp_path / part / "autosave_label.txt").is_file()
        counts.append(len(names))
    assert sum(counts) == 20
    assert min(counts) > 0


def test_a_picture_named_like_a_file_of_another_is_told(tmp_path: Path) -> None:
    images = [
        image(masks()["ring"], key="cat"),
        image(masks()["dot"], key="Cat_Pseudo"),
        image(masks()["line"], key="annotations"),
    ]
    told = export(tmp_path, "eiseg", *images)
    assert [each.fault for each in told] == ["Cat_Pseudo.png", "annotations.png"]
    assert (pixels(tmp_path / "cat.png") == masks()["ring"]).all()
    assert (pixels(tmp_path / "cat_pseudo.png").any(axis=2) == masks()["ring"]).all()


def test_the_files_of_a_part_are_not_written_over_either(tmp_path: Path) -> None:
    named = image(masks()["dot"], key="annotations")
    told = export(tmp_path, "eiseg", named, splits=parse_splits("train=1,val=1"))
    assert [each.fault for each in told] == ["annotations.png"]


def test_a_second_run_writes_the_same_bytes(tmp_path: Path) -> None:
    for run in "ab":
        export(tmp_path / run, "eiseg", image(*masks().values(), PAIR, label=ODD), labels=LABELS)
    for path in sorted((tmp_path / "a").rglob("*")):
        if path.is_file():
            assert (
                path.read_bytes()
                == (tmp_path / "b" / path.relative_to(tmp_path / "a")).read_bytes()
            )
