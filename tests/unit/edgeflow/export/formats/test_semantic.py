from __future__ import annotations

import csv
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from edgeflow.data.left_out import LeftOut
from edgeflow.export.flat import BOXES, HIDDEN
from edgeflow.export.format import Choices
from edgeflow.export.formats.semantic import TABLE
from edgeflow.export.splits import parse_splits
from edgeflow.masks.palette import voc_colour
from tests.unit.edgeflow.export.exported import export
from tests.unit.edgeflow.export.formats.drawings import BOX, ODD_LABELS, image, masks


def read(path: Path) -> npt.NDArray[np.integer]:
    """The mask, which Pillow and OpenCV must see alike."""
    with Image.open(path) as png:
        values = np.asarray(png)
    assert (values == cv2.imread(str(path), cv2.IMREAD_UNCHANGED)).all()
    return values


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / TABLE).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("name", masks())
def test_masks_are_exact(tmp_path: Path, name: str) -> None:
    mask = masks()[name]
    assert export(tmp_path, "semantic", image(mask, labels=("b",)), labels=("a", "b")) == []
    values = read(tmp_path / "masks/1.png")
    assert values.dtype == np.uint8
    assert (values == 2 * mask).all()


def test_the_later_of_two_objects_is_on_top(tmp_path: Path) -> None:
    ring, line = masks()["ring"], masks()["line"]
    export(tmp_path, "semantic", image(ring, line, labels=("a", "b")))
    assert (read(tmp_path / "masks/1.png") == np.where(line, 2, ring)).all()


def test_the_smallest_can_be_on_top(tmp_path: Path) -> None:
    line, whole = masks()["line"], masks()["all"]
    choices = Choices(overlap="smallest")
    export(tmp_path, "semantic", image(line, whole, labels=("a", "b")), choices=choices)
    assert (read(tmp_path / "masks/1.png") == np.where(line, 1, 2)).all()


def test_what_has_no_pixel_is_left_out(tmp_path: Path) -> None:
    left_out = export(tmp_path, "semantic", image(masks()["line"], BOX, masks()["all"]))
    assert left_out == [LeftOut(BOXES), LeftOut(HIDDEN)]


def test_the_table_names_the_numbers(tmp_path: Path) -> None:
    export(tmp_path, "semantic", image(masks()["dot"], labels=(None,)), labels=ODD_LABELS)
    table = rows(tmp_path)
    names = ["background", *ODD_LABELS, "unlabelled"]
    assert [(int(row["index"]), row["name"]) for row in table] == list(enumerate(names))
    colours = [tuple(int(row[channel]) for channel in "rgb") for row in table]
    assert colours == [voc_colour(number) for number in range(len(names))]
    assert read(tmp_path / "masks/1.png").max() == len(names) - 1


def test_a_name_that_is_no_text_is_written_all_the_same(tmp_path: Path) -> None:
    export(tmp_path, "semantic", image(), labels=("\ud800",))
    assert rows(tmp_path)[1]["name"] == "\\ud800"


@pytest.mark.parametrize(("count", "bits"), [(254, 8), (255, 16), (300, 16)], ids=str)
def test_many_classes_take_two_bytes(tmp_path: Path, count: int, bits: int) -> None:
    # One number is kept for objects without a class.
    labels = tuple(f"class {number}" for number in range(count))
    mask = masks()["ring"]
    export(tmp_path, "semantic", image(mask, labels=labels[-1:]), labels=labels)
    values = read(tmp_path / "masks/1.png")
    assert values.dtype == f"uint{bits}"
    assert (values == count * mask).all()


def test_more_classes_than_numbers_are_refused(tmp_path: Path) -> None:
    labels = tuple(map(str, range(65536)))
    (fault,) = export(tmp_path, "semantic", image(masks()["dot"], labels=("0",)), labels=labels)
    assert (fault.fault, "65537 classes" in fault.reason) == ("1.jpg", True)


def test_parts_are_folders_and_names_those_of_the_pictures(tmp_path: Path) -> None:
    dot = masks()["dot"]
    names = ["a/cat.jpg", "cat.png", "a.b.c.jpg"]
    images = [image(dot, key=str(number), file_name=name) for number, name in enumerate(names)]
    splits = parse_splits("train=1,val=1")
    export(tmp_path, "semantic", *images, splits=splits)
    for each in images:
        name = each.file_name.rpartition(".")[0]
        assert (read(tmp_path / f"masks/{splits.of(each)}/{name}.png") == dot).all()


def test_a_second_run_writes_the_same_bytes(tmp_path: Path) -> None:
    for run in "ab":
        export(tmp_path / run, "semantic", image(*masks().values()))
    for path in (TABLE, "masks/1.png"):
        assert (tmp_path / "a" / path).read_bytes() == (tmp_path / "b" / path).read_bytes()
