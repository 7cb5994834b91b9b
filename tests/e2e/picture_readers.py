"""Readers of formats that are pictures and plain tables: EISeg's, index pictures, cut-outs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from edgeflow.arrays import BoolMask
from tests.e2e.export_truth import pictures
from tests.e2e.found_objects import UNLABELLED, Found


def read_eiseg_pictures(folder: Path) -> Iterator[Found]:
    """By Pillow: the grey picture's numbers, named by the list of labels, and the other pictures.

    The list has no blanks in names; the full ones stand in the JSON.
    """
    listed = map(str.split, (folder / "autosave_label.txt").read_text().splitlines())
    colours = np.zeros((256, 3), dtype=np.uint8)
    words = {}
    for number, word, *colour in listed:
        colours[int(number)], words[int(number)] = list(map(int, colour)), word
    for path in _eiseg_files(folder):
        names = {each["labelIdx"]: each["name"] for each in json.loads(path.read_text())}
        assert all(words[number] == name.replace(" ", "_") for number, name in names.items())
        grey = Image.open(path.with_suffix(".png"))
        assert grey.mode == "L"
        numbers = np.asarray(grey)
        pseudo = Image.open(path.with_name(f"{path.stem}_pseudo.png"))
        assert pseudo.mode == "RGB"
        assert (np.asarray(pseudo) == colours[numbers]).all()
        cutout = np.asarray(Image.open(path.with_name(f"{path.stem}_cutout.png")))
        assert ((cutout == [0, 0, 128, 255]).all(axis=2) >= (numbers == 0)).all()
        for number in np.unique(numbers[numbers > 0]).tolist():
            yield Found(path.stem, names[number], numbers == number)


def read_eiseg_polygons(folder: Path) -> Iterator[Found]:
    """By EISeg's rule: polygons are filled one after the other with ``cv2.fillPoly``."""
    for path in _eiseg_files(folder):
        size = np.asarray(Image.open(path.with_suffix(".png"))).shape
        filled: dict[str, npt.NDArray[np.uint8]] = {}
        for each in json.loads(path.read_text()):
            assert each.keys() == {"name", "labelIdx", "color", "points"}
            mask = filled.setdefault(each["name"], np.zeros(size, dtype=np.uint8))
            cv2.fillPoly(mask, [np.array(each["points"]).astype(np.int32)], (1,))
        yield from (Found(path.stem, name, mask > 0) for name, mask in filled.items())


def _eiseg_files(folder: Path) -> list[Path]:
    """EISeg's own JSON of each picture, which its labelme and COCO files stand beside."""
    found = sorted(folder.glob("*.json"))
    found.remove(folder / "annotations.json")
    labelme = sorted((folder / "labelme").glob("*.json"))
    assert [path.name for path in labelme] == [f"{path.stem}_labelme.json" for path in found]
    return found


def read_eiseg_coco(folder: Path) -> Iterator[Found]:
    """A polygon is an annotation there, with its corners in the middle of pixels."""
    coco = json.loads((folder / "annotations.json").read_text())
    images = {each["id"]: each for each in coco["images"]}
    names = {each["id"]: each["name"] for each in coco["categories"]}
    filled: dict[tuple[str, str], BoolMask] = {}
    for each in coco["annotations"]:
        image = images[each["image_id"]]
        mask = np.zeros((image["height"], image["width"]), dtype=np.uint8)
        (points,) = each["segmentation"]
        cv2.fillPoly(mask, [np.array(points).reshape(-1, 2).astype(np.int32)], (1,))
        key = (image["file_name"], names[each["category_id"]])
        filled[key] = filled.get(key, mask > 0) | (mask > 0)
    yield from (Found(*key, mask) for key, mask in filled.items())


def read_semantic(folder: Path) -> Iterator[Found]:
    """By Pillow and the table of classes."""
    with (folder / "classes.csv").open(encoding="utf-8", newline="") as file:
        names = {int(row["index"]): row["name"] for row in csv.DictReader(file)}
    assert names[0] == "background"
    for path in sorted((folder / "masks").iterdir()):
        numbers = np.asarray(Image.open(path))
        for number in np.unique(numbers[numbers > 0]).tolist():
            yield Found(path.stem, names[number], numbers == number)


def read_instances(folder: Path) -> Iterator[Found]:
    """By Pillow and the table of objects, which has no text for those without a label."""
    with (folder / "instances.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    opened = {path.name: Image.open(path) for path in (folder / "masks").iterdir()}
    assert {each.mode for each in opened.values()} == {"I;16"}
    numbers = {name: np.asarray(each) for name, each in opened.items()}
    assert sum(len(np.unique(each[each > 0])) for each in numbers.values()) == len(rows)
    for row in rows:
        mask = numbers[row["file"]] == int(row["number"])
        yield Found(Path(row["file"]).stem, row["label"] or UNLABELLED, mask)


def read_cutouts(folder: Path) -> Iterator[Found]:
    """By Pillow: what is opaque, put back to where the table says that it was cut out."""
    entries = map(json.loads, (folder / "metadata.jsonl").read_text().splitlines())
    for entry in entries:
        path = folder / entry["file_name"]
        assert path.name.startswith(Path(entry["picture"]).stem)
        with Image.open(path) as cut:
            assert cut.mode == "RGBA"
            rgba = np.asarray(cut)
        alpha = rgba[:, :, 3]
        assert set(np.unique(alpha).tolist()) <= {0, 255}
        left, top, width, height = entry["box"]
        assert alpha.shape == (height, width)
        (picture,) = (each for name, each in pictures().items() if entry["picture"].endswith(name))
        mask = np.zeros(picture.size, dtype=np.bool_)
        mask[top : top + height, left : left + width] = alpha > 0
        if picture.name.endswith("png"):  # others' pixels depend on who decodes them
            with Image.open(io.BytesIO(picture.content)) as whole:
                assert (rgba[alpha > 0, :3] == np.asarray(whole)[mask]).all()
        yield Found(entry["picture"], entry["label"], mask)


def read_overlay(folder: Path) -> Iterator[Found]:
    """By Pillow: where an object is, the picture differs from the one that was annotated."""
    for path in sorted(folder.glob("*.jpg")):
        (picture,) = (
            each for each in pictures().values() if path.stem.endswith(Path(each.name).stem)
        )
        with Image.open(path) as shown, Image.open(io.BytesIO(picture.content)) as plain:
            after = np.asarray(shown.convert("RGB")).astype(int)
            assert after.shape == (*picture.size, 3)
            if plain.mode == "RGB":  # 16 bits may be shown in many ways
                before = np.asarray(ImageOps.exif_transpose(plain)).astype(int)
                drawn = np.logical_or.reduce([each.mask for each in picture.drawn])
                changed = np.abs(after - before).max(axis=2) > 24
                assert changed[drawn].mean() > 0.9
        yield Found(path.stem, UNLABELLED, np.ones(picture.size, dtype=np.bool_))
